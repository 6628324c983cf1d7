import { readFileSync } from 'node:fs';
import { KongTsError } from '../base/errors.ts';
import { secrets } from '../base/secrets.ts';
import { grpcTarget, readLaunch } from '../event-hooks/serve/index.ts';
import { isLoopback } from '../http/index.ts';
import type { ServerLog } from './log/types.ts';
import type { CompiledServerOptions } from './options.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Whether this process has the environment that nginx gives to processes that it starts: PWD, TZ and what
 * `nginx_main_env` names, but nothing else of the environment of `kong start` (measured on Kong 3.9.3).
 */
export function hasNginxEnvironment(environment: Environment): boolean {
  return environment['PATH'] === undefined && environment['HOME'] === undefined;
}

/** A start command may be a script that waits for the server, or several nested ones. */
const mostAncestors = 5;

/** Whether nginx has started this process, even if `nginx_main_env` passes on PATH or HOME. */
function isBelowNginx(): boolean {
  let pid = process.ppid;
  for (let count = 0; count < mostAncestors && pid > 1; count += 1) {
    const stat = statOf(pid);
    if (stat === null) return false;
    if (stat.name === 'nginx') return true;
    pid = stat.parent;
  }
  return false;
}

/** Name and parent of a process. Null if there is none, or if the system does not say. */
function statOf(pid: number): { readonly name: string; readonly parent: number } | null {
  try {
    // The name is in parentheses, and may hold some itself.
    const [, name = '', parent = ''] =
      /\((.*)\) \S (\d+)/s.exec(readFileSync(`/proc/${String(pid)}/stat`, 'utf8')) ?? [];
    return { name, parent: Number(parent) };
  } catch {
    return null;
  }
}

const howToGiveIt =
  `Give ${secrets.adminToken.flag} FILE, or let Kong pass the variable on: ` +
  `nginx_main_env = ${secrets.adminToken.variable} (KONG_NGINX_MAIN_ENV).`;

/**
 * Looks at the secrets that flags need before anything listens: a file that cannot be read ends the start. Under nginx,
 * a token that was set for `kong start` has not arrived, and the Admin API of event hooks would be open.
 * @throws KongTsError FILE_UNREADABLE; USAGE for an Admin API beyond loopback without a token under nginx
 */
export function checkSecrets(
  options: CompiledServerOptions,
  environment: Environment,
  log: ServerLog,
  belowNginx: () => boolean = isBelowNginx,
): void {
  const { admin, adminToken } = readLaunch(options.dispatcher, environment);
  if (adminToken !== null || admin?.kind !== 'tcp') return;
  if (!hasNginxEnvironment(environment) && !belowNginx()) return;
  if (!isLoopback(admin.host)) {
    throw new KongTsError(
      'USAGE',
      `--event-hooks-admin ${grpcTarget(admin)} would be open to the network without a token: this server was ` +
        `started by nginx, which passes on only what nginx_main_env names.`,
      { fix: howToGiveIt },
    );
  }
  log.warn('the Admin API of event hooks has no token: nginx passes on only what nginx_main_env names', {
    admin: grpcTarget(admin),
    fix: howToGiveIt,
  });
}
