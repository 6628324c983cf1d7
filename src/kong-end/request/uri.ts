import { decodeText, encodeText } from '../../base/text.ts';

const reserved = new Set([..."!*'();:@&=+$,/?%#[]"].map((char) => char.charCodeAt(0)));

/** Decodes every percent triplet whose byte passes `keep`; the others become upper case. */
function decodeTriplets(text: string, keepEncoded: (byte: number) => boolean): string {
  if (!text.includes('%')) return text;
  const bytes = encodeText(text);
  const out = Buffer.allocUnsafe(bytes.length);
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    if (byte === 0x25 && i + 2 < bytes.length) {
      const hex = bytes.toString('latin1', i + 1, i + 3);
      if (/^[0-9a-fA-F]{2}$/.test(hex)) {
        const value = Number.parseInt(hex, 16);
        if (keepEncoded(value)) length += out.write(`%${hex.toUpperCase()}`, length, 'latin1');
        else out[length++] = value;
        i += 2;
        continue;
      }
    }
    out[length++] = byte;
  }
  return decodeText(out, 0, length);
}

/** Kong's normalized path: percent triplets decoded unless reserved, dot segments removed, slashes merged. */
export function normalizePath(path: string, mergeSlashes = true): string {
  if (path === '' || path === '/') return path;
  const decoded = decodeTriplets(path, (byte) => reserved.has(byte));
  if (!decoded.includes('.') && !(mergeSlashes && decoded.includes('//'))) return decoded;
  const out: string[] = [];
  const segments = decoded.split('/');
  segments.shift();
  segments.forEach((segment, index) => {
    const last = index === segments.length - 1;
    if (segment === '..') {
      out.pop();
      if (last) out.push('');
    } else if (segment === '.') {
      if (last) out.push('');
    } else if (segment !== '' || last || !mergeSlashes) {
      out.push(segment);
    }
  });
  return `/${out.join('/')}`;
}

/** Percent-encodes what Kong encodes before it sends a path to the upstream. */
export function escapePath(path: string): string {
  if (/^[!#$&'()*+,/:;=?@[\]A-Za-z\d\-_.~%]*$/.test(path)) return path;
  let escaped = '';
  for (const byte of encodeText(path)) {
    const char = String.fromCharCode(byte);
    escaped += /[!#$&'()*+,/:;=?@[\]A-Za-z\d\-_.~%]/.test(char)
      ? char
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return escaped;
}

/** The path of a request target, without query. */
export function pathOf(target: string): string {
  const at = target.indexOf('?', 1);
  return at < 0 ? target : target.slice(0, at);
}

export type QueryValue = string | true | (string | true)[];

function decodeArgument(text: string): string {
  return decodeTriplets(text.replaceAll('+', ' '), () => false);
}

/** Query or form arguments as nginx decodes them: `?flag` is true, a repeated name is a list. Prototype-free. */
export function parseQuery(query: string, max = 100): Record<string, QueryValue> {
  const table = Object.create(null) as Record<string, QueryValue>;
  let count = 0;
  for (const part of query.split('&')) {
    if (part === '') continue;
    const at = part.indexOf('=');
    const name = decodeArgument(at < 0 ? part : part.slice(0, at));
    if (name === '') continue;
    if (max > 0 && ++count > max) break;
    const value = at < 0 ? true : decodeArgument(part.slice(at + 1));
    const before = table[name];
    if (before === undefined) table[name] = value;
    else if (Array.isArray(before)) before.push(value);
    else table[name] = [before, value];
  }
  return table;
}

/** Encodes one name or value of a query as ngx.escape_uri does: everything but unreserved characters. */
function escapeArgument(text: string): string {
  let escaped = '';
  for (const byte of encodeText(text)) {
    const char = String.fromCharCode(byte);
    escaped += /[A-Za-z\d\-_.~]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return escaped;
}

/** The query string of a table, names sorted as Kong does: `true` is a name alone, `false` is left out. */
export function formatQuery(table: Record<string, unknown>): string {
  const parts: string[] = [];
  for (const name of Object.keys(table).sort()) {
    const value = table[name];
    for (const each of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (each === true) parts.push(escapeArgument(name));
      else if (typeof each === 'string' || typeof each === 'number')
        parts.push(`${escapeArgument(name)}=${escapeArgument(String(each))}`);
    }
  }
  return parts.join('&');
}
