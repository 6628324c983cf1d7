import { text } from './checks.ts';
import type { Implementations } from './types.ts';

interface ParsedReference {
  name: string;
  resource: string;
  key?: string;
  config?: Record<string, string>;
}

/** `{vault://<name>/<resource>[/<key>][?config]}`; null if the text is not one. */
function parse(reference: string): ParsedReference | null {
  if (!isReference(reference)) return null;
  let url: URL;
  try {
    url = new URL(reference.slice(1, -1));
  } catch {
    return null;
  }
  const [resource = '', ...key] = decodeURI(url.pathname).slice(1).split('/');
  if (url.hostname === '' || resource === '') return null;
  return {
    name: url.hostname,
    resource,
    ...(key.length === 0 ? {} : { key: key.join('/') }),
    ...(url.search === '' ? {} : { config: Object.fromEntries(url.searchParams) }),
  };
}

function isReference(reference: string): boolean {
  return reference.startsWith('{vault://') && reference.endsWith('}') && reference.length > 10;
}

/** The environment is the one vault of the sandbox. */
function read(parsed: ParsedReference): string | null {
  if (parsed.name !== 'env') return null;
  const prefix = parsed.config?.['prefix'] ?? '';
  const value = process.env[(prefix + parsed.resource).replaceAll('-', '_').toUpperCase()];
  if (value === undefined || parsed.key === undefined) return value ?? null;
  try {
    const record = JSON.parse(value) as Record<string, unknown> | null;
    const member = record !== null && Object.hasOwn(record, parsed.key) ? record[parsed.key] : null;
    return typeof member === 'string' || typeof member === 'number' ? String(member) : null;
  } catch {
    return null;
  }
}

export const vaultFunctions: Implementations = {
  'kong.vault.is_reference': (_call, [reference]) => typeof reference === 'string' && isReference(reference),
  'kong.vault.parse_reference': (_call, [reference]) => parse(text(reference, 'reference')),
  'kong.vault.get': (_call, [reference]) => {
    const parsed = parse(text(reference, 'reference'));
    return parsed === null ? null : read(parsed);
  },
};
