import { KongTsError } from 'kong-ts';

/** One place that records are sent to, taken apart once. */
export interface Endpoint {
  /** Scheme, host and port, such as `https://logs.example.com:8443`. */
  readonly origin: string;
  /** Path with query string, as it goes into the request line. */
  readonly path: string;
  /** Value of the Authorization header from the user info of the URL, null without one. */
  readonly authorization: string | null;
  /** The URL without user info and query string: safe to print. */
  readonly label: string;
}

const invalid = (field: string, problem: string, fix: string): KongTsError =>
  new KongTsError('CONFIG_INVALID', `config.${field}: ${problem}.`, { fix });

function decodePercent(text: string): Buffer {
  const bytes: number[] = [];
  const raw = Buffer.from(text, 'utf8');
  for (let i = 0; i < raw.length; i++) {
    const hex = raw[i] === 0x25 ? raw.toString('latin1', i + 1, i + 3) : '';
    if (/^[0-9a-f]{2}$/i.test(hex)) {
      bytes.push(parseInt(hex, 16));
      i += 2;
    } else {
      bytes.push(raw[i] ?? 0);
    }
  }
  return Buffer.from(bytes);
}

/** Characters that cannot stand in a request line. */
const unsendable = /[^!-~]/g;

/** The path as it was written; only spaces, control characters and bytes beyond ASCII are percent-encoded. */
function requestPath(written: string): string {
  const bytes = Buffer.from(written, 'utf8').toString('latin1');
  const path = bytes.replace(
    unsendable,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
  return path.startsWith('/') ? path : `/${path}`;
}

function originOf(scheme: string, authority: string, field: string): string {
  const problem = 'not a URL that can be connected to';
  const fix = 'Write http://host:port/path.';
  // A WHATWG URL would leave out characters that do not belong to a host, or end the host there.
  if (/[\s\\]/.test(authority)) throw invalid(field, problem, fix);
  try {
    return new URL(`${scheme}://${authority}`).origin;
  } catch (cause) {
    throw new KongTsError('CONFIG_INVALID', `config.${field}: ${problem}.`, { cause, fix });
  }
}

/**
 * Takes an endpoint apart. Percent-encoded credentials are decoded and the query string is kept (Kong's http-log does
 * neither, measured on Kong 3.9.3). The path is not changed: `/a/../b` goes out as `/a/../b`.
 *
 * @throws KongTsError CONFIG_INVALID with Kong's text where Kong has one
 */
export function parseEndpoint(value: string, field = 'http_endpoint'): Endpoint {
  const parts = /^([a-z0-9][a-z0-9+.-]*):\/\/([^/?#]+)([^#]*)/i.exec(value.trimEnd());
  if (parts === null) {
    const problem = /^[a-z0-9][a-z0-9+.-]*:/i.test(value) ? 'missing host in url' : 'missing scheme in url';
    throw invalid(field, problem, 'Write http://host/path.');
  }
  const [, scheme = '', authority = '', rest = ''] = parts;
  if (!/^https?$/i.test(scheme)) {
    throw invalid(field, `the scheme '${scheme}:' is not supported`, 'Use http or https.');
  }
  const at = authority.lastIndexOf('@');
  const origin = originOf(scheme, authority.slice(at + 1), field);
  const path = requestPath(rest);
  return {
    origin,
    path,
    authorization: at < 0 ? null : `Basic ${decodePercent(authority.slice(0, at)).toString('base64')}`,
    label: `${origin}${path.replace(/\?.*/s, '')}`,
  };
}
