/** A request as somebody has read it. */
export interface Read {
  readonly line: string;
  readonly body: string;
}

interface Head {
  readonly line: string;
  readonly version: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly length: number;
}

const token = /^[!#$%&'*+.^_`|~\dA-Za-z-]+$/;
/** Nothing but a tab may stand in a value of what is below a space. */
const control = {
  test: (text: string): boolean => /[^\t\x20-\x7e\x80-\xff]/.test(text),
};

/**
 * What a proxy sees that takes no chances: the requests of a connection's bytes up to the first that two readers could
 * understand in two ways, as RFC 9112 has them (lines may end with a line feed alone, sections 2.2 and 3).
 * @param connectionMayName whether `Connection` may name a framing header, which counts all the same (nginx)
 */
export function strictly(bytes: string, connectionMayName = false): Read[] {
  return split(bytes, connectionMayName).found;
}

/** The head of what is left after that: of a request that is not whole, or that is none. */
export function headLeft(bytes: string): string {
  const rest = bytes.slice(split(bytes).end);
  return rest.slice(0, rest.search(/\n\r?\n/) + 1);
}

function split(bytes: string, connectionMayName = false): { found: Read[]; end: number } {
  const found: Read[] = [];
  let at = 0;
  for (; at < bytes.length;) {
    while (bytes[at] === '\r' || bytes[at] === '\n') at += 1;
    const head = headAt(bytes, at);
    if (head === null) break;
    const body = bodyAt(bytes, at + head.length, head, connectionMayName);
    if (body === null) break;
    found.push({ line: head.line, body: body.text });
    at += head.length + body.length;
    if (head.version === 0) break;
  }
  return { found, end: at };
}

function headAt(bytes: string, start: number): Head | null {
  const headers: (readonly [string, string])[] = [];
  let first: string | null = null;
  for (let at = start; ;) {
    const end = bytes.indexOf('\n', at);
    if (end < 0) return null;
    const line = bytes.slice(at, bytes[end - 1] === '\r' ? end - 1 : end);
    at = end + 1;
    if (first === null) first = line;
    else if (line === '') return finished(first, headers, at - start);
    else {
      const colon = line.indexOf(':');
      const name = line.slice(0, Math.max(0, colon));
      const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '');
      if (!token.test(name) || control.test(value)) return null;
      headers.push([name.toLowerCase(), value]);
    }
  }
}

function finished(first: string, headers: Head['headers'], length: number): Head | null {
  const [, method = '', target = '', version = ''] = /^(\S+) +(\S+) +HTTP\/1\.(\d{1,3}) *$/.exec(first) ?? [];
  if (!token.test(method) || control.test(target)) return null;
  // The name in an absolute target is what counts (section 3.2.2).
  const path = target.replace(/^http:\/\/[\w.]+(?=\/)/, '');
  if (!path.startsWith('/') || headers.filter(([name]) => name === 'host').length !== 1) return null;
  return { line: `${method} ${path} HTTP/1.1`, version: Number(version), headers, length };
}

function bodyAt(
  bytes: string,
  at: number,
  { headers, version }: Head,
  connectionMayName: boolean,
): { text: string; length: number } | null {
  const all = (wanted: string): string[] =>
    headers.filter(([name]) => name === wanted).map(([, value]) => value);
  const [lengths, codings] = [all('content-length'), all('transfer-encoding')];
  const named = all('connection').join(',').toLowerCase();
  if (
    (!connectionMayName && /content-length|transfer-encoding/.test(named)) ||
    lengths.length + codings.length > 1
  )
    return null;
  const [length] = lengths;
  if (length !== undefined) {
    if (!/^\d+$/.test(length) || at + Number(length) > bytes.length) return null;
    return { text: bytes.slice(at, at + Number(length)), length: Number(length) };
  }
  const [coding] = codings;
  if (coding === undefined) return { text: '', length: 0 };
  return coding.toLowerCase() === 'chunked' && version > 0 ? chunksAt(bytes, at) : null;
}

function chunksAt(bytes: string, start: number): { text: string; length: number } | null {
  let text = '';
  for (let at = start; ;) {
    const [line, hex = ''] = /^0*([\da-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r?\n/i.exec(bytes.slice(at)) ?? [];
    if (line === undefined) return null;
    const size = Number.parseInt(hex, 16);
    at += line.length;
    if (size === 0) {
      const [trailers] = /^(?:[\w-]+:[^\r\n]*\r?\n)*\r?\n/.exec(bytes.slice(at)) ?? [];
      return trailers === undefined ? null : { text, length: at + trailers.length - start };
    }
    text += bytes.slice(at, at + size);
    at += size;
    const [end] = /^\r?\n/.exec(bytes.slice(at)) ?? [];
    if (end === undefined) return null;
    at += end.length;
  }
}
