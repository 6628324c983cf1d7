import { secretsNeeded } from '../../base/secrets.ts';
import type { ServerDefinition } from '../kong-conf.ts';
import type { KongEnvironment } from './environment.ts';
import type { Finding } from './finding.ts';
import { error } from './finding.ts';
import { readServeCommand } from './start-command.ts';

/**
 * Finds secrets that are set for `kong start` and do not reach the server that Kong starts. Without its token an Admin
 * API would be open to everybody. Of Kong's environment only what nginx_main_env names arrives (measured on Kong
 * 3.9.3).
 * @param passed what nginx passes on
 */
export function checkEnvironment(
  server: ServerDefinition,
  environment: KongEnvironment,
  passed: Readonly<Record<string, string>>,
): Finding[] {
  const command = server.startCommand ?? '';
  if (readServeCommand(command) === null) return [];
  return secretsNeeded(command.split(/\s+/)).flatMap((secret) => {
    const { variable, fileVariable, flag, serveFlag = flag } = secret;
    const set = [variable, fileVariable].filter((name) => (environment[name] ?? '') !== '');
    if (set.length === 0 || set.some((name) => passed[name] !== undefined)) return [];
    return [
      error(
        `${server.prefix}_start_cmd`,
        `${set.join(' and ')} is set for kong start, and does not reach a server that Kong starts.`,
        `Add ${serveFlag} FILE to the command, or set nginx_main_env = ${set.join('; env ')}.`,
      ),
    ];
  });
}
