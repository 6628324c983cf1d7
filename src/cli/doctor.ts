import { execFileSync } from 'node:child_process';
import { Command, Option } from 'commander';
import { KongTsError } from '../base/errors.ts';
import type { Properties } from '../kong-setup/index.ts';
import { parseEnvFile, parseEnvironment, parseKongConf, readSettings, factsOf } from '../kong-setup/index.ts';
import type { KongEnvironment, KongUser } from '../kong-setup/doctor/index.ts';
import { examine } from '../kong-setup/doctor/index.ts';
import type { KongAdminOptions } from './kong-admin-options.ts';
import { kongAdminOf, withKongAdmin } from './kong-admin-options.ts';
import { printable, printableJson } from '../terminal/index.ts';

interface Options extends KongAdminOptions {
  kongConf?: string;
  kongEnv?: string;
  envFile?: string;
  kong: string;
  user?: string;
  json: boolean;
}

function environmentOf(options: Options): KongEnvironment {
  const file = options.kongEnv ?? options.envFile;
  return file === undefined ? process.env : parseEnvFile(readSettings(file));
}

function propertiesOf(options: Options, environment: KongEnvironment): Properties {
  const conf =
    options.kongConf === undefined
      ? new Map<string, string>()
      : parseKongConf(readSettings(options.kongConf));
  return new Map([...conf, ...parseEnvironment(environment)]);
}

function userOf(name: string | undefined): KongUser | null {
  if (name === undefined) return null;
  const ask = (flag: string): string =>
    execFileSync('id', [flag, name], { stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .trim();
  try {
    return { uid: Number(ask('-u')), gids: ask('-G').split(/\s+/).map(Number) };
  } catch {
    throw new KongTsError('USAGE', `There is no user "${name}" on this machine.`, {
      fix: 'Give the user that runs the nginx workers (nginx_user in kong.conf).',
    });
  }
}

const count = (number: number, what: string): string => `${String(number)} ${what}${number === 1 ? '' : 's'}`;

export function build(): Command {
  const command = new Command('doctor')
    .description('check a planned or running setup of Kong with plugin servers, and say how to mend it')
    .option('--kong-conf <file>', 'the kong.conf to check')
    .option('--kong-env <file>', 'a file of KONG_ variables (default: the environment of this process)')
    // The old name, kept for scripts that have it. Node reads an option of this name itself, wherever it stands. Where
    // there is no such file, Node ends with its own message.
    .addOption(new Option('--env-file <file>').hideHelp());
  return withKongAdmin(command, "ask the running Kong's Admin API too")
    .option('--kong <version>', 'the version of Kong', '3.9')
    .option('--user <name>', 'the user of the nginx workers, to judge permissions')
    .option('--json', 'print the findings as JSON', false)
    .action(async (options: Options) => {
      const environment = environmentOf(options);
      const findings = await examine({
        environment,
        properties: propertiesOf(options, environment),
        facts: factsOf(options.kong),
        admin: kongAdminOf(options),
        user: userOf(options.user),
      });
      const errors = findings.filter((finding) => finding.level === 'error').length;
      if (options.json) process.stdout.write(`${printableJson(findings)}\n`);
      else {
        for (const { level, subject, says, fix } of findings) {
          process.stdout.write(
            printable(`${level.padEnd(7)}  ${subject}: ${says}\n${fix === null ? '' : `         ${fix}\n`}`),
          );
        }
        const warnings = findings.filter((finding) => finding.level === 'warning').length;
        process.stdout.write(`${count(errors, 'error')}, ${count(warnings, 'warning')}\n`);
      }
      if (errors > 0) process.exitCode = 1;
    });
}
