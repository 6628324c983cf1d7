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

/** `user:password` of a URL as it stands there, percent signs and all. */
function userInfoOf(url: string): string | null {
  const authority = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(url)?.[1] ?? '';
  const at = authority.lastIndexOf('@');
  return at < 0 ? null : authority.slice(0, at);
}

/**
 * Takes an endpoint apart. Percent-encoded credentials are decoded, the query string is kept (Kong's http-log does
 * neither, measured on Kong 3.9.3).
 *
 * @throws KongTsError CONFIG_INVALID with Kong's text where Kong has one
 */
export function parseEndpoint(value: string, field = 'http_endpoint'): Endpoint {
  if (!/^[a-z][a-z0-9+.-]*:/i.test(value))
    throw invalid(field, 'missing scheme in url', 'Write http://host/path.');
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^/?#]/i.test(value))
    throw invalid(field, 'missing host in url', 'Write http://host/path.');
  const userInfo = userInfoOf(value);
  let url: URL;
  try {
    url = new URL(userInfo === null ? value : value.replace(`${userInfo}@`, ''));
  } catch (cause) {
    throw new KongTsError('CONFIG_INVALID', `config.${field}: not a URL that can be connected to.`, {
      cause,
      fix: 'Write http://host:port/path.',
    });
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw invalid(field, `the scheme '${url.protocol}' is not supported`, 'Use http or https.');
  }
  return {
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    authorization: userInfo === null ? null : `Basic ${decodePercent(userInfo).toString('base64')}`,
    label: `${url.origin}${url.pathname}`,
  };
}
