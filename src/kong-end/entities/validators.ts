import { X509Certificate, createPrivateKey } from 'node:crypto';
import { regexError } from '../schema/index.ts';
import { normalizePath } from '../request/uri.ts';
import { isIpOrCidr, parseAddress } from './hosts.ts';

/** Kong's own checks of values, which its schema language cannot say, with its error texts. */

export function host(value: string): string | undefined {
  const address = parseAddress(value);
  if (address === 'invalid') return `invalid value: ${value}`;
  return typeof address === 'string' || address.port !== undefined ? 'must not have a port' : undefined;
}

export function hostWithOptionalPort(value: string): string | undefined {
  const address = parseAddress(value);
  if (typeof address !== 'string') return undefined;
  return address === 'invalid' ? `invalid hostname: ${value}` : address;
}

/** Hosts of routes: one wildcard label. */
export function hostWithWildcards(value: string): string | undefined {
  return hostWithOptionalPort(value.replaceAll('*', 'abc'));
}

export function wildcardHost(value: string): string | undefined {
  let name = value;
  const at = value.indexOf('*');
  if (at >= 0) {
    if (at !== 0 && at !== value.length - 1) return 'wildcard must be leftmost or rightmost character';
    if (value.split('*').length > 2) return 'only one wildcard must be specified';
    name = value.replace('*', 'wildcard');
  }
  return serverName(name, value);
}

function serverName(name: string, shown: string): string | undefined {
  const address = parseAddress(name);
  if (address === 'invalid') return `invalid value: ${shown}`;
  if (typeof address === 'string') return 'must not have a port';
  if (address.type !== 'name') return 'must not be an IP';
  return address.port === undefined ? undefined : 'must not have a port';
}

export function sni(value: string): string | undefined {
  return serverName(value, value);
}

export function ipOrCidr(value: string): string | undefined {
  return isIpOrCidr(value) ? undefined : `invalid ip or cidr range: '${value}'`;
}

const reserved = /^\/[A-Za-z0-9.\-_~/%:@!$&'()*+,;=]*$/;

function badPercent(path: string): string | undefined {
  const found = /%(?![0-9A-Fa-f]{2}).?.?/s.exec(path);
  return found === null ? undefined : `invalid url-encoded value: '${found[0]}'`;
}

export function path(value: string): string | undefined {
  if (!reserved.test(value)) {
    return `invalid path: '${value}' (characters outside of the reserved list of RFC 3986 found)`;
  }
  return badPercent(value);
}

/** Paths of routes: `/fixed`, normalized, or `~/regex`. */
export function routerPath(value: string): string | undefined {
  if (!value.startsWith('~')) {
    const percent = reserved.test(value) ? badPercent(value) : undefined;
    if (percent !== undefined) return percent;
    const normalized = normalizePath(value);
    return normalized === value ? undefined : `non-normalized path, consider use '${normalized}' instead`;
  }
  const source = value.slice(1);
  const error = regexError(source);
  return error === null ? undefined : `invalid regex: '${source}' (PCRE returned: ${error})`;
}

const badUtf8 = /[\ud800-\udfff]/u;

export function utf8Name(value: string): string | undefined {
  if (badUtf8.test(value)) return 'invalid utf-8 character sequence detected at position 1';
  return /^[A-Za-z0-9.\-_~\u{80}-\u{10ffff}]+$/u.test(value)
    ? undefined
    : `invalid value '${value}': the only accepted ascii characters are alphanumerics or ., -, _, and ~`;
}

export function tag(value: string): string | undefined {
  if (badUtf8.test(value)) return 'invalid utf-8 character sequence detected at position 1';
  return /^[ !-+\-.0-~\u{80}-\u{10ffff}]+$/u.test(value)
    ? undefined
    : `invalid tag '${value}': expected printable ascii (except \`,\` and \`/\`) or valid utf-8 sequences`;
}

export function headerName(value: string): string | undefined {
  return /^[a-zA-Z0-9-_]+$/.test(value)
    ? undefined
    : `bad header name '${value}', allowed characters are A-Z, a-z, 0-9, '_', and '-'`;
}

export function cookieName(value: string): string | undefined {
  return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(value)
    ? undefined
    : `invalid '${value}', only accepts US-ASCII characters except separators`;
}

export function upstreamName(value: string): string | undefined {
  const address = parseAddress(value);
  const name = badUtf8.test(value) ? 'Invalid name' : `Invalid name ('${value}')`;
  if (typeof address === 'string') return `${name}; must be a valid hostname`;
  if (address.type !== 'name') return `${name}; no ip addresses allowed`;
  return address.port === undefined ? undefined : `${name}; no port allowed`;
}

export function target(value: string): string | undefined {
  return typeof parseAddress(value) === 'string'
    ? `Invalid target ('${value}'); not a valid hostname or ip address`
    : undefined;
}

export function certificate(value: string): string | undefined {
  try {
    new X509Certificate(value);
    return undefined;
  } catch (thrown) {
    return `invalid certificate: ${reason(thrown)}`;
  }
}

export function privateKey(value: string): string | undefined {
  try {
    createPrivateKey(value);
    return undefined;
  } catch (thrown) {
    return `invalid key: ${reason(thrown)}`;
  }
}

const reason = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : 'unreadable');
