/** The parts of a request target as nginx reads it, byte by byte (latin1). */
export interface RequestTarget {
  /** `$request_uri`: path and query as they came, without scheme and host. */
  readonly uri: string;
  /** `$uri`: decoded, dot segments resolved, slashes merged, without fragment. */
  readonly path: string;
  /** `$args`: the query without fragment. */
  readonly args: string;
  /** The host of an absolute target, in lower case and without port. */
  readonly host: string | null;
}

const absolute = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/(\[[^\]]*\]|[A-Za-z0-9.-]*)(?::[0-9]*)?([^]*)$/;

/** Whether a target begins as one: with a slash, or with a scheme and two slashes. */
export const looksLikeTarget = (target: string): boolean => target.startsWith('/') || absolute.test(target);

/** Reads a target that has no spaces and no control characters; null where nginx answers 400. */
export function parseTarget(target: string): RequestTarget | null {
  if (target.startsWith('/')) return withPath(target, null);
  const parts = absolute.exec(target);
  if (parts === null) return null;
  const [, authority = '', rest = ''] = parts;
  const host = validHost(authority);
  if (host === null) return null;
  if (rest === '') return withPath('/', host);
  return rest.startsWith('/') || rest.startsWith('?') ? withPath(rest, host) : null;
}

function withPath(uri: string, host: string | null): RequestTarget | null {
  const end = uri.search(/[?#]/);
  const raw = end < 0 ? uri : uri.slice(0, end);
  const path = decodedPath(raw === '' ? '/' : raw);
  if (path === null) return null;
  const args = end < 0 || uri[end] === '#' ? '' : (uri.slice(end + 1).split('#', 1)[0] ?? '');
  return { uri, path, args, host };
}

/** Decodes every triplet and resolves the segments; null for a bad triplet, a zero byte and a way above the root. */
function decodedPath(raw: string): string | null {
  if (!/%|\/[./]/.test(raw)) return raw;
  if (/%(?![0-9A-Fa-f]{2})|%00/.test(raw)) return null;
  const decoded = raw.replace(/%([0-9A-Fa-f]{2})/g, (_triplet, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  const segments = decoded.split('/').slice(1);
  const out: string[] = [];
  for (const segment of segments) {
    if (segment === '..') {
      if (out.pop() === undefined) return null;
    } else if (segment !== '.' && segment !== '') out.push(segment);
  }
  const last = segments.at(-1) ?? '';
  const isFolder = last === '' || last === '.' || last === '..';
  return `/${out.join('/')}${isFolder && out.length > 0 ? '/' : ''}`;
}

/**
 * The host of a Host header or an absolute target in lower case, without port and last dot; null where nginx answers
 * 400. Kong 3.9.3 answers 400 to user information, too (measured).
 */
export function validHost(header: string): string | null {
  // White space, control characters, a path separator, or two dots in a row.
  if (/[^!-~\x80-\xff]|[/@]|\.\./.test(header)) return null;
  // A bracket that is not closed holds everything behind it.
  const name = /^(\[[^\]]*(\]|$)|[^:]*)/.exec(header)?.[0] ?? '';
  const host = (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase();
  return host === '' ? null : host;
}
