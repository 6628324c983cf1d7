import type { ServerDefinition } from '../kong-conf.ts';
import type { Finding } from './finding.ts';
import { error, ok } from './finding.ts';
import { runAsKong, tellingLine } from './run-command.ts';
import { readServeCommand } from './start-command.ts';

/**
 * Finds whether a start_cmd of `kong-ts serve` would end at once. It is run with `--check`, which loads the plugins and
 * serves nothing, in the environment that Kong gives to it. Other programs are not run, because they might take over
 * the socket.
 * @param variables what `nginx_main_env` names, with its values
 */
export async function checkStart(
  server: ServerDefinition,
  variables: Readonly<Record<string, string>>,
): Promise<Finding[]> {
  const command = server.startCommand;
  if (command === null || readServeCommand(command) === null) return [];
  const subject = `${server.prefix}_start_cmd`;
  const { code, stderr } = await runAsKong(`${command} --check`, 'nginx', variables);
  if (code === 0) return [ok(subject, 'Its options are right and its plugins load.')];
  // An older kong-ts does not know `--check`, and is not asked.
  if (stderr.includes("unknown option '--check'")) return [];
  return [
    error(
      subject,
      `It would end at once, with ${String(code)}: ${tellingLine(stderr) || 'it printed no error'}`,
      `Run it by hand as Kong does: env -i PWD=/ ${command} --check`,
    ),
  ];
}
