import { stableText, varies } from './stable.ts';
import { readableWire } from './wire.ts';

/** Differences of one kind: a place in the recordings, without ids and positions. */
export interface Kind {
  readonly place: string;
  readonly count: number;
  readonly before: string;
  readonly after: string;
}

/** Kinds of difference of two recordings of one format; ids, times and ports are none. */
export function compareRecordings(before: unknown, after: unknown): Kind[] {
  const found = new Map<string, { count: number; before: string; after: string }>();
  walk(prepared(before), prepared(after), '', (place, was, is) => {
    const kind = found.get(place);
    if (kind === undefined) found.set(place, { count: 1, before: shown(was), after: shown(is) });
    else kind.count++;
  });
  return [...found].map(([place, kind]) => ({ place, ...kind }));
}

/** What says where a recording comes from is not a difference, and bytes are compared by what they say. */
function prepared(recording: unknown): unknown {
  if (typeof recording !== 'object' || recording === null || Array.isArray(recording)) return recording;
  const rest: Record<string, unknown> = { ...recording };
  for (const name of ['kong', 'note', 'database', 'gateway', 'recorded', 'buffering', 'what'])
    delete rest[name];
  if (rest['commands'] !== undefined) delete rest['wire'];
  // When Kong loses an id, and on which connection, is a matter of chance.
  if (rest['scenario'] === 'msgpack-no-instance-id')
    for (const name of ['wire', 'commands']) delete rest[name];
  if (Array.isArray(rest['wire'])) rest['wire'] = readableWire(rest['wire'], String(rest['protocol']));
  if (Array.isArray(rest['exchanges'])) rest['exchanges'] = rest['exchanges'].map(withoutNamesOfPages);
  const client = rest['client'];
  if (isTable(client) && typeof client['raw'] === 'string') rest['client'] = rawParts(client['raw']);
  return rest;
}

/** Which entities are on a page is a matter of their ids. */
function withoutNamesOfPages(exchange: unknown): unknown {
  const { request, response } = Object(exchange) as {
    request?: { path?: unknown };
    response?: { body?: { data?: unknown } };
  };
  const data = response?.body?.data;
  if (!/[?&](size|offset)=/.test(String(request?.path)) || !Array.isArray(data)) return exchange;
  const unnamed = data.map((each: unknown) =>
    isTable(each) && 'name' in each ? { ...each, name: '{name}' } : each,
  );
  return { request, response: { ...response, body: { ...response?.body, data: unnamed } } };
}

/** An answer in its parts: the order of headers is a Lua table's where Kong has captured it. */
function rawParts(raw: string): unknown {
  const end = raw.indexOf('\r\n\r\n');
  if (!raw.startsWith('HTTP/') || end < 0) return { raw };
  const [line, ...headers] = raw.slice(0, end).split('\r\n');
  return { line, headers: headers.sort(), body: raw.slice(end + 4) };
}

type Found = (place: string, before: unknown, after: unknown) => void;

function walk(before: unknown, after: unknown, place: string, found: Found): void {
  if (Array.isArray(before) && Array.isArray(after)) {
    if (before.length !== after.length) found(`${place} (how many)`, before.length, after.length);
    const many = Math.min(before.length, after.length);
    for (let at = 0; at < many; at++) walk(before[at], after[at], `${place}[${label(before[at])}]`, found);
    return;
  }
  if (isTable(before) && isTable(after)) {
    for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const here = place === '' ? name : `${place}.${name}`;
      const [was, is] = [before[name], after[name]];
      if (varies(name) && was !== undefined && is !== undefined && typeof was === typeof is) continue;
      walk(was, is, here, found);
    }
    return;
  }
  const [was, is] = [json(before), json(after)];
  // JSON inside of text (records, echoes) is compared by its parts.
  if (isTable(was) && isTable(is) && !isTable(before)) walk(was, is, place, found);
  else if (stableText(before) !== stableText(after)) found(place, before, after);
}

const isTable = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function json(value: unknown): unknown {
  if (typeof value !== 'string' || !value.startsWith('{')) return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

/** What an element of a list is known by. */
function label(element: unknown): string {
  if (!isTable(element)) return '';
  const request = element['request'];
  if (isTable(request)) return `${String(request['method'])} ${stableText(request['path'])}`;
  const known = element['method'] ?? element['name'] ?? element['path'];
  return typeof known === 'string' ? known : '';
}

function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
