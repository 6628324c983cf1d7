type Environment = Readonly<Record<string, string | undefined>>;

/** Names of environment variables as POSIX has them. */
const name = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * The environment that nginx gives to a process that it starts: TZ, and the variables that `nginx_main_env` names
 * (measured on Kong 3.9.3; the shell adds PWD). Everything else is gone, PATH and HOME included.
 *
 * @param named the value of `nginx_main_env`: `NAME` passes a variable on, `NAME=value` sets one; several are written as
 *   Kong needs them, `A; env B=1`
 * @param own the environment that Kong itself was started with
 */
export function nginxEnvironment(named: string, own: Environment): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const text of ['TZ', ...named.split(';')]) {
    const directive = text.trim().replace(/^env\s+/, '');
    const at = directive.indexOf('=');
    const variable = at < 0 ? directive : directive.slice(0, at);
    if (!name.test(variable)) continue;
    const value = at < 0 ? own[variable] : directive.slice(at + 1).replace(/^(["'])(.*)\1$/s, '$2');
    if (value !== undefined) environment[variable] = value;
  }
  return environment;
}
