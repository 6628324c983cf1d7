import { existsSync } from 'node:fs';
import type { Command, CommanderError } from 'commander';
import { KongTsError } from '../base/errors.ts';
import { ownModule, packageVersion } from '../base/package.ts';
import { outputMayClose } from './closed-output.ts';
import { hideSecrets } from './hide-secrets.ts';
import { printable } from '../terminal/index.ts';

/** What a file in this folder exports: a command with its options and its action. */
interface CommandModule {
  build(): Command;
  /** Brings arguments that commander does not understand into a form that it does. */
  normalise?(argv: readonly string[]): string[];
}

interface Entry {
  /** One line for `kong-ts --help`. */
  readonly description: string;
  readonly load: () => Promise<CommandModule>;
}

/** A command file beside this one. It is imported when its command runs, never before. */
const file = (name: string, description: string): [string, Entry] => [
  name,
  { description, load: () => importCommand(name) },
];

const commands = new Map<string, Entry>([
  file('init', 'begin a project: a plugin with its test, and what belongs to it'),
  file('dev', 'serve plugins behind a gateway on this machine, and take over what you save'),
  file('serve', 'serve plugins on a Unix socket'),
  file('dump', 'print what Kong asks a plugin server about a plugin (query_cmd)'),
  file('reload', 'make a running server load its plugins again'),
  file('status', 'show what a running server does'),
  file('sandbox', 'run the development gateway (never in production)'),
  file('enable', 'turn a plugin on in a running Kong through its Admin API'),
  file('doctor', "check a Kong's settings for its plugin servers"),
  file('kong-config', 'print the settings that Kong needs for a plugin'),
  file('hooks', 'create, change, test and watch event hooks'),
  file('docs', 'print the documentation of this version'),
  file('demo', 'start everything on this machine, with two workspaces and a webhook'),
  file('export-schema', "print a plugin's configuration schema in Kong's language"),
  file('js-pluginserver', "kong-js-pluginserver's command line, for plugins written for kong-pdk"),
]);

const commandFile = (name: string): URL => ownModule(`./${name}`, import.meta.url);

async function importCommand(name: string): Promise<CommandModule> {
  const url = commandFile(name);
  if (!existsSync(url)) {
    throw new KongTsError('USAGE', `The command "${name}" is not part of this version of kong-ts.`);
  }
  return (await import(url.href)) as CommandModule;
}

function help(): string {
  const width = Math.max(...[...commands.keys()].map((name) => name.length)) + 2;
  const lines = [...commands]
    .filter(([name]) => existsSync(commandFile(name)))
    .map(([name, { description }]) => `  ${name.padEnd(width)}${description}`);
  return [
    'Usage: kong-ts <command> [options]',
    '',
    'TypeScript plugins for Kong Gateway.',
    '',
    'Commands:',
    ...lines,
    '',
    'kong-ts <command> --help tells the options of one command; kong-ts --version prints the version.',
    '',
  ].join('\n');
}

async function run(argv: readonly string[]): Promise<void> {
  hideSecrets(argv);
  const [name, ...rest] = argv;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    process.stdout.write(help());
    return;
  }
  if (name === '--version' || name === '-V') {
    process.stdout.write(`${packageVersion()}\n`);
    return;
  }
  const entry = commands.get(name);
  if (entry === undefined) {
    const { nearest } = await import('../base/nearest.ts');
    const meant = nearest(name, [...commands.keys()]);
    throw new KongTsError('USAGE', `There is no command "${name}".`, {
      fix: `${meant === null ? '' : `Did you mean ${meant}? `}Commands are: ${[...commands.keys()].join(', ')}.`,
    });
  }
  if (name === 'dump' && rest.length > 0 && rest.every((word) => !word.startsWith('-'))) {
    // Kong runs `dump` at each start and reload, and waits for it. Its command line is simple enough to go without
    // commander.
    const { printDump } = await import('./print-dump.ts');
    await printDump(rest, false);
    return;
  }
  const module = await entry.load();
  const command = module.build();
  command.name(`kong-ts ${name}`);
  rejectInsteadOfExit(command);
  try {
    await command.parseAsync(module.normalise?.(rest) ?? rest, { from: 'user' });
  } catch (error) {
    // A command without its subcommand has printed its help, and there is nothing to add.
    if (isCommanderError(error) && error.code === 'commander.help') {
      process.exitCode = 2;
      return;
    }
    // commander's line says what is wrong. This one says where to read on.
    if (isCommanderError(error) && error.exitCode !== 0) {
      error.message = `${error.message.trimEnd().replace(/\n/g, ' ')} (kong-ts ${name} --help)`;
    }
    throw error;
  }
}

/**
 * commander prints and exits by itself. Here it is made to throw, so that one place decides what is printed and
 * returned.
 */
function rejectInsteadOfExit(command: Command): void {
  command.exitOverride();
  command.configureOutput({ outputError: () => undefined });
  for (const child of command.commands) rejectInsteadOfExit(child);
}

/** Prints an error as one line (`KONG_TS_DEBUG=1` adds the stack) and says with which status to exit. */
export function report(thrown: unknown, write: (text: string) => void): number {
  if (isCommanderError(thrown)) {
    if (thrown.exitCode === 0) return 0;
    write(`kong-ts: ${thrown.message.replace(/^error: /, '')}\n`);
    return 2;
  }
  const debug = process.env['KONG_TS_DEBUG'] === '1';
  if (KongTsError.is(thrown)) {
    write(`kong-ts: ${thrown.message}\n`);
    if (debug) write(`${thrown.code} ${stackOf(thrown)}\n`);
    return thrown.code === 'USAGE' ? 2 : 1;
  }
  // An error that is not a KongTsError is a defect, and its stack is the only clue.
  write(`kong-ts: ${stackOf(thrown)}\n`);
  return 1;
}

/** It goes by the error's code, so that only commands import commander. */
function isCommanderError(thrown: unknown): thrown is CommanderError {
  return thrown instanceof Error && 'code' in thrown && String(thrown.code).startsWith('commander.');
}

function stackOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const cause = thrown.cause === undefined ? '' : `\ncaused by ${stackOf(thrown.cause)}`;
  return `${thrown.stack ?? thrown.message}${cause}`;
}

/**
 * Runs one command line (without `node` and the script's path). Resolves when the command's action does; a command
 * that serves keeps the process alive by itself. Errors are printed on stderr and set the exit status: 2 for a
 * command line that is not understood, 1 for everything else.
 */
export async function main(argv: readonly string[]): Promise<void> {
  outputMayClose();
  try {
    await run(argv);
  } catch (error) {
    process.exitCode = report(error, (text) => process.stderr.write(printable(text)));
    if (!process.stderr.isTTY) return;
    const { whereText } = await import('./where.ts');
    process.stderr.write(whereText(error, process.stderr, process.env));
  }
}
