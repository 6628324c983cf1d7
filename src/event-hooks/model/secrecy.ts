import type { Hook } from './hook.ts';
import type { Hidden, KindDescription, Secrecy } from './kind.ts';
import { Mask } from './mask.ts';

/** The text that stands for a secret. */
export const masked = '***';

/** Not a secret: it may be shown, and the target may repeat it. */
export const shown: Secrecy = { show: (value) => value, hide: () => [] };

/** The default for a field that its kind says nothing about: it shows as `***`, and each text within it is hidden. */
export const secret: Secrecy = { show: () => masked, hide: textsIn };

/** The same, but the field itself is left out when hooks are shown. */
export const leftOut: Secrecy = { show: () => undefined, hide: textsIn };

/** A shorter text would garble every answer. So it is looked for behind its name only. */
const minLength = 4;
/** Deeper than any configuration; what lies below is not parsed either. */
const maxDepth = 32;

/** The texts and numbers of a value, by the names that they have there. */
function textsIn(value: unknown, name: string, depth = 0): Hidden[] {
  if (typeof value === 'string') {
    const key = value.startsWith('whsec_') ? [{ name: '', value: value.slice(6) }] : [];
    return [{ name, value }, ...key];
  }
  if (typeof value === 'number' || typeof value === 'bigint') return [{ name, value: String(value) }];
  if (typeof value !== 'object' || value === null || depth === maxDepth) return [];
  if (Array.isArray(value)) return value.flatMap((item) => textsIn(item, name, depth + 1));
  return Object.entries(value).flatMap(([key, member]) => textsIn(member, key, depth + 1));
}

const secrecyOf = ({ secrets }: KindDescription, field: string): Secrecy =>
  (Object.hasOwn(secrets, field) ? secrets[field] : undefined) ?? secret;

/**
 * A hook as it may be written to logs, records and ping payloads: without secrets and credentials.
 * @param kind the hook's; null where nobody knows it, and so every field is masked
 */
export function withoutSecrets(hook: Hook, kind: KindDescription | null): Record<string, unknown> {
  const config = Object.entries(hook.config).flatMap(([field, value]): [string, unknown][] => {
    if (value === null || value === undefined) return [[field, value]];
    const visible = (kind === null ? secret : secrecyOf(kind, field)).show(value);
    return visible === undefined ? [] : [[field, visible]];
  });
  return { ...hook, config: Object.fromEntries(config) };
}

/** What must never be shown of a hook if its target sends it back. */
export function hiddenOf(
  { config }: Pick<Hook, 'config'>,
  kind: KindDescription,
): { long: string[]; short: Hidden[] } {
  const all = Object.entries(config)
    .flatMap(([field, value]) =>
      value === null || value === undefined ? [] : secrecyOf(kind, field).hide(value, field),
    )
    .map(({ name, value }) => ({ name, value: value.trim() }))
    .filter(({ value }) => value !== '');
  const long = all.map(({ value }) => value).filter(({ length }) => length >= minLength);
  const short = all.filter(({ name, value }) => name !== '' && value.length < minLength);
  return { long: [...new Set(long)], short };
}

/** Hides a hook's secrets in its target's answers. */
export function maskOf(hook: Pick<Hook, 'config'>, kind: KindDescription): Mask {
  const { long, short } = hiddenOf(hook, kind);
  return new Mask(long, short);
}
