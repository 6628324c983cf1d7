import type { Properties } from '../kong-conf.ts';

/** The environment that `kong start` has. */
export type KongEnvironment = Readonly<Record<string, string | undefined>>;

/**
 * The variables that nginx passes on to a server that it starts, beside PWD and TZ. `nginx_main_env` names them. The
 * value is the one that it gives, else the one that `kong start` has. Kong writes the property as one directive, and
 * people put several into it (`A; env B=1`).
 */
export function passedOn(properties: Properties, environment: KongEnvironment): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const part of (properties.get('nginx_main_env') ?? '').split(';')) {
    const text = part.trim().replace(/^env\s+/, '');
    const at = text.indexOf('=');
    const name = at < 0 ? text : text.slice(0, at);
    if (!/^[A-Za-z_]\w*$/.test(name)) continue;
    const value = at < 0 ? environment[name] : text.slice(at + 1);
    if (value !== undefined) passed[name] = value;
  }
  return passed;
}
