/** Fields whose values in a form are not text; everything else stays text. Kong infers them from its schema likewise. */
const booleans = new Set([
  'on_change',
  'enabled',
  'config.ssl_verify',
  'config.headers_format',
  'config.payload_format',
  'config.body_format',
]);
const numbers = new Set(['snooze', 'concurrency', 'rate']);
const numberLists = new Set(['retry_schedule']);
const lists = new Set(['config.functions', 'config.previous_secrets', 'retry_schedule']);

type Node = Record<string, unknown>;

/**
 * Reads a form body as Kong does: `config.url=...`, `config.headers.x-a=...`, lists as `config.functions=...`,
 * `config.functions[]=...`, `config.functions[1]=...` or by repeating the name. An empty value is null.
 * @param valueOf what a field's text stands for; by default what Kong takes it for
 */
export function parseForm(
  pairs: Iterable<readonly [string, string]>,
  valueOf: (path: string, text: string) => unknown = convert,
): Node {
  const root: Node = {};
  for (const [name, value] of pairs) {
    const match = /^(.*?)\[(\d*)\]$/.exec(name);
    const field = match?.[1] ?? name;
    put(root, field, valueOf(field, value), match !== null);
  }
  return root;
}

function put(root: Node, name: string, value: unknown, indexed: boolean): void {
  const steps = splitName(name);
  const path = steps.join('.');
  const last = steps.pop() ?? name;
  let at = root;
  for (const step of steps) {
    const below = Object.hasOwn(at, step) ? at[step] : undefined;
    if (typeof below === 'object' && below !== null && !Array.isArray(below)) at = below as Node;
    else {
      const made: Node = {};
      define(at, step, made);
      at = made;
    }
  }
  const before = Object.hasOwn(at, last) ? at[last] : undefined;
  if (Array.isArray(before)) before.push(value);
  else if (before !== undefined) define(at, last, [before, value]);
  else
    define(
      at,
      last,
      indexed || (lists.has(path) && value !== null && !Array.isArray(value)) ? [value] : value,
    );
}

/** A header's or payload's name may hold dots itself: everything after the map's name is one name. */
function splitName(name: string): string[] {
  const map = /^(config\.(?:headers|payload)|filter)\.(.+)$/.exec(name);
  return map === null ? name.split('.') : [...(map[1] ?? '').split('.'), map[2] ?? ''];
}

function convert(path: string, text: string): unknown {
  if (text === '') return null;
  if (booleans.has(path) && (text === 'true' || text === 'false')) return text === 'true';
  if ((numbers.has(path) || numberLists.has(path)) && text.trim() !== '' && Number.isFinite(Number(text)))
    return Number(text);
  return text;
}

function define(at: Node, name: string, value: unknown): void {
  Object.defineProperty(at, name, { value, enumerable: true, writable: true, configurable: true });
}

/** Reads the text fields of a multipart/form-data body, as `curl -F` sends them. */
export function multipartFields(body: Buffer, contentType: string): [string, string][] | null {
  const match = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType);
  const boundary = match?.[1] ?? match?.[2];
  if (boundary === undefined) return null;
  const parts = `\r\n${body.toString('utf8')}`.split(`\r\n--${boundary}`);
  return parts.slice(1, -1).flatMap((part) => {
    const end = part.indexOf('\r\n\r\n');
    const name = /name="([^"]*)"/i.exec(part.slice(0, end))?.[1];
    return end === -1 || name === undefined ? [] : [[name, part.slice(end + 4)] as [string, string]];
  });
}
