import { ownStatusLine } from '../../http/http1/index.ts';
import { connectionOf, now, rawHeaderLines, serverHeader } from '../../kong-end/index.ts';
import type { HttpExchange } from '../../kong-end/index.ts';

/**
 * The head of the answer as it goes to the client, in nginx's order. What becomes of headers, framing and connection
 * by it is noted in the exchange. An answer of HTTP/0.9 that is passed on has no head.
 *
 * @param passing the answer is passed on as it comes from the upstream
 */
export function answerHead(exchange: HttpExchange, passing: boolean): Buffer {
  const { answer } = exchange;
  addOwnHeaders(exchange, passing);
  noteLastTry(exchange);
  decideFraming(exchange);
  if (passing && answer.statusLine === null) {
    exchange.connection = 'close';
    answer.chunked = false;
    return Buffer.alloc(0);
  }
  if (answer.status === 204 && answer.statusLine === null) answer.headers.delete('content-type');
  const type = answer.headers.get('content-type');
  if (type !== null) answer.headers.set('Content-Type', withCharset(type));
  // If an upstream does not give its date, nginx does not either.
  if (!passing && !answer.headers.has('date') && !answer.cleared.has('date'))
    exchange.date = new Date().toUTCString();
  const lines = rawHeaderLines(linesInOrder(exchange));
  let text = `HTTP/1.1 ${answer.statusLine ?? ownStatusLine(answer.status)}\r\n`;
  for (let at = 0; at < lines.length; at += 2) text += `${lines[at] ?? ''}: ${lines[at + 1] ?? ''}\r\n`;
  return Buffer.from(`${text}\r\n`, 'latin1');
}

/** nginx writes what it keeps in fields of its own first, and then its list. */
function* linesInOrder(exchange: HttpExchange): Generator<readonly [string, string]> {
  const { answer, connection, date } = exchange;
  const { headers, upstreamLength } = answer;
  const type = headers.get('content-type');
  const length = headers.get('content-length');
  if (date !== null) yield ['Date', date];
  if (type !== null) yield ['Content-Type', type];
  if (upstreamLength && length !== null) yield ['Content-Length', length];
  if (answer.chunked) yield ['Transfer-Encoding', 'chunked'];
  yield ['Connection', connection];
  for (const [name, value, key] of headers)
    if (key !== 'content-type' && !(upstreamLength && key === 'content-length')) yield [name, value];
}

/** Adds what Kong adds to every answer: latencies, Via, Server and the request's id. */
function addOwnHeaders(exchange: HttpExchange, passing: boolean): void {
  const { headers } = exchange.answer;
  if (exchange.proxied) {
    if (passing && !headers.has('server')) headers.append('Server', serverHeader);
    headers.set('X-Kong-Upstream-Latency', String(exchange.latencies.waiting ?? 0));
    headers.set('X-Kong-Proxy-Latency', String(exchange.latencies.kong ?? 0));
    headers.set('Via', passing ? viaOf(exchange) : ownVia);
    if (!headers.has('server')) headers.append('Server', serverHeader);
  } else {
    exchange.latencies.kong = Math.round(now() - exchange.startedAt);
    headers.set('X-Kong-Response-Latency', String(exchange.latencies.kong));
    if (headers.get('via') !== serverHeader) headers.set('Server', serverHeader);
  }
  headers.set('X-Kong-Request-Id', exchange.id);
}

const ownVia = `1.1 ${serverHeader}`;

/** Kong puts itself behind what the upstream says, whatever a plugin has set. */
function viaOf({ upstreamAnswer }: HttpExchange): string {
  const before = upstreamAnswer?.headers.getAll('via').join(', ') ?? '';
  return before === '' ? ownVia : `${before}, ${ownVia}`;
}

/** Kong notes the outcome of the last try only where no other try was allowed. */
function noteLastTry({ answer, destination, proxied, tries }: HttpExchange): void {
  const last = tries.at(-1);
  if (!proxied || destination === null || last === undefined || answer.status <= 499) return;
  if (tries.length <= destination.retries) return;
  last.state = 'failed';
  last.code = answer.status;
}

/** How the client finds the end of the body, from what is known here, whatever headers say. */
function decideFraming(exchange: HttpExchange): void {
  const { answer, request } = exchange;
  if (answer.status === 101) exchange.connection = 'upgrade';
  if (answer.headers.has('content-length') || answer.unsaidLength || isBodiless(exchange)) return;
  if (connectionOf(request, false) === 'close' && request.httpVersion === '1.0')
    exchange.connection = 'close';
  else answer.chunked = true;
}

function isBodiless({ answer: { status }, request }: HttpExchange): boolean {
  return status === 304 || status === 204 || status < 200 || request.method === 'HEAD';
}

/** nginx's charset_types: `charset UTF-8`, as Kong sets it, names the charset of these where nobody has. */
const typesWithCharset = new Set([
  'text/html',
  'text/xml',
  'text/plain',
  'text/vnd.wap.wml',
  'application/javascript',
  'application/rss+xml',
]);

/** The Content-Type that a client sees. */
function withCharset(contentType: string): string {
  return typesWithCharset.has(contentType.toLowerCase()) ? `${contentType}; charset=UTF-8` : contentType;
}
