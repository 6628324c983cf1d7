import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { rawHeaderLines } from './bytes.ts';
import { connectionOf } from './connection-header.ts';
import { now } from './exchange.ts';
import type { HttpExchange } from './http-exchange.ts';
import { serverHeader } from './node-state.ts';

/** Answers above this are not held in memory for the response phase. */
const maxBufferedBody = 128 * 1024 * 1024;

/** Adds what Kong adds to every answer: latencies, Via, Server, request id, Date and Connection. */
function complete(exchange: HttpExchange): void {
  const { headers } = exchange.answer;
  if (!headers.has('connection'))
    headers.append('Connection', connectionOf(exchange.request, headers.has('content-length')));
  if (!headers.has('date')) headers.append('Date', new Date().toUTCString());
  if (exchange.proxied) {
    headers.set('X-Kong-Upstream-Latency', String(exchange.latencies.waiting ?? 0));
    headers.set('X-Kong-Proxy-Latency', String(exchange.latencies.kong ?? 0));
    const via = headers.get('via');
    headers.set('Via', via === null ? `1.1 ${serverHeader}` : `${via}, 1.1 ${serverHeader}`);
    if (!headers.has('server')) headers.append('Server', serverHeader);
  } else {
    exchange.latencies.kong = Math.round(now() - exchange.startedAt);
    headers.set('X-Kong-Response-Latency', String(exchange.latencies.kong));
    headers.set('Server', serverHeader);
  }
  headers.set('X-Kong-Request-Id', exchange.id);
}

function writeHead(exchange: HttpExchange, response: ServerResponse): void {
  complete(exchange);
  response.sendDate = false;
  response.writeHead(exchange.answer.status, rawHeaderLines(exchange.answer.headers));
}

/** Reads the upstream's whole body for the response phase. */
export async function bufferAnswer(exchange: HttpExchange, answer: IncomingMessage): Promise<void> {
  const start = now();
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBufferedBody) {
      answer.destroy();
      throw new Error(
        `the answer is larger than ${String(maxBufferedBody)} bytes, too large for a response phase`,
      );
    }
    chunks.push(chunk);
  }
  exchange.latencies.receive = Math.round(now() - start);
  const body = Buffer.concat(chunks);
  if (exchange.upstreamAnswer !== null) exchange.upstreamAnswer.body = body;
  const { headers } = exchange.answer;
  if (!headers.has('content-length') && exchange.upstream.method !== 'HEAD' && exchange.answer.status !== 204)
    headers.set('Content-Length', String(body.length));
  exchange.answer.body = body;
}

/** Sends an answer whose body is here. */
export async function sendWhole(exchange: HttpExchange, response: ServerResponse): Promise<void> {
  const before = response.socket?.bytesWritten ?? 0;
  const { socket } = response;
  // An interim status is no answer: the connection ends after it, so that no client waits for more.
  if (exchange.answer.status < 200) exchange.answer.headers.set('Connection', 'close');
  writeHead(exchange, response);
  await new Promise<void>((resolve) => {
    response.once('close', resolve);
    response.end(exchange.answer.body ?? Buffer.alloc(0), resolve);
  });
  exchange.bytesSent = (socket?.bytesWritten ?? before) - before;
}

/** Passes the upstream's body on as it comes. Rejects when either side goes away. */
export async function sendStream(
  exchange: HttpExchange,
  answer: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { socket } = response;
  const before = socket?.bytesWritten ?? 0;
  const start = now();
  writeHead(exchange, response);
  try {
    await pipeline(answer, response);
  } finally {
    exchange.latencies.receive = Math.round(now() - start);
    exchange.bytesSent = (socket?.bytesWritten ?? before) - before;
  }
}
