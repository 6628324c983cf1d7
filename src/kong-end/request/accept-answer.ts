import { textOfLatin1 } from './bytes.ts';
import { HeaderList } from './headers.ts';
import type { HttpExchange } from './http-exchange.ts';
import { keptValues, responseHeaderName } from './response-header-names.ts';
import type { AnswerHead } from './upstream-answer-head.ts';

/** Headers that nginx never passes on, because they concern the connection or are meant for nginx itself. */
const swallowed = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'x-pad',
  'x-accel-expires',
  'x-accel-redirect',
  'x-accel-limit-rate',
  'x-accel-buffering',
  'x-accel-charset',
]);

/** Takes an answer into the exchange that is passed on as it comes. */
export function acceptAnswer(exchange: HttpExchange, head: AnswerHead): void {
  const headers = headersOf(head);
  exchange.upstreamAnswer = { status: head.statusLine === null ? 200 : head.status, headers, body: null };
  const merged = new HeaderList();
  const preset = exchange.answer.headers;
  const type = headers.get('content-type') ?? preset.get('content-type');
  if (type !== null) merged.append('Content-Type', type);
  const length = lengthOf(head);
  const known = length !== null && !preset.has('content-length');
  const unsaidLength = known && exchange.answer.cleared.has('content-length');
  const upstreamLength = known && !unsaidLength;
  if (upstreamLength) merged.append('Content-Length', length);
  for (const line of preset) if (line[2] !== 'content-type') merged.append(line[0], line[1]);
  for (const [name, value, key] of headers)
    if (key !== 'content-type' && !swallowed.has(key)) merged.append(name, value);
  for (const name of ofTheConnection(exchange, headers)) merged.delete(name);
  exchange.answer = {
    // The value of ngx.status for an answer of HTTP/0.9.
    status: head.statusLine === null ? 9 : head.status,
    statusLine: head.statusLine,
    headers: merged,
    source: 'service',
    body: null,
    upstreamLength: upstreamLength && merged.has('content-length'),
    unsaidLength,
    chunked: false,
    cleared: exchange.answer.cleared,
  };
}

/**
 * Takes an answer into the exchange that was read whole, for a response phase: Kong captures it and sets its headers one
 * by one. So lines whose names differ in case replace each other, hop-by-hop headers come through, and Via is lost.
 *
 * @returns false for a status that kong.response.set_status refuses
 */
export function acceptWholeAnswer(exchange: HttpExchange, head: AnswerHead, body: Buffer): boolean {
  const status = head.statusLine === null ? 200 : head.status;
  const headers = headersOf(head);
  exchange.upstreamAnswer = { status, headers, body };
  if (status < 100 || status > 599) return false;
  const { answer } = exchange;
  const lines = new Map<string, string[]>();
  for (const [name, value, key] of headers)
    if (!swallowed.has(key)) lines.set(name, [...(lines.get(name) ?? []), value === '' ? ' ' : value]);
  const length = lengthOf(head);
  if (length !== null) lines.set('Content-Length', [length]);
  for (const [name, values] of lines) answer.headers.set(responseHeaderName(name), keptValues(name, values));
  answer.status = status;
  answer.source = 'service';
  answer.body = body;
  return true;
}

function headersOf(head: AnswerHead): HeaderList {
  const list = new HeaderList();
  for (const [name, value] of head.headers) list.append(name, textOfLatin1(value));
  return list;
}

/** The upstream's Content-Length, even if it describes a body that is not sent (HEAD, 304). */
function lengthOf({ framing, headers }: AnswerHead): string | null {
  if (typeof framing === 'number') return String(framing);
  if (framing !== 'none') return null;
  const line = headers.find(([name]) => name.toLowerCase() === 'content-length');
  return line === undefined ? null : String(Number(line[1]));
}

/** Names that Kong takes out of an answer that it passes on (its header_filter). */
function* ofTheConnection(exchange: HttpExchange, headers: HeaderList): Generator<string> {
  const connection = headers.getAll('connection').join(', ');
  if (!/^(|keep-alive|close|upgrade)$/.test(connection))
    for (const option of connection.split(',').map((each) => each.trim()))
      if (!/^(|keep-alive|close|upgrade)$/.test(option)) yield option;
  if (headers.has('upgrade')) yield 'upgrade';
  if (headers.has('trailer') && exchange.headers.get('te')?.includes('trailers') !== true) yield 'trailer';
}
