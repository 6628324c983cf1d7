import { HttpExchange, acceptAnswer, acceptWholeAnswer, latin1OfText, now } from '../../kong-end/index.ts';
import type { AnswerHead, Exchange } from '../../kong-end/index.ts';
import { ownStatusLine } from '../../http/http1/index.ts';
import type { ResponseDescription } from '../description.ts';
import { bodyBytes, headerLines } from './messages.ts';

/** Lets the described upstream answer. What is set on the client's answer so far is merged as Kong does. */
export async function answerFromUpstream(exchange: Exchange, described: ResponseDescription): Promise<void> {
  exchange.tries.push(oneTry(exchange));
  if (!(exchange instanceof HttpExchange)) return;
  exchange.latencies.kong = Math.round(now() - exchange.startedAt);
  exchange.latencies.waiting = 0;
  exchange.proxied = true;
  await exchange.body.read();
  const { bytes, contentType } = bodyBytes(described.body);
  const status = described.status ?? 200;
  const lines = headerLines(described.headers ?? {}, [
    ['content-type', contentType],
    ['content-length', String(bytes.length)],
  ]);
  const head: AnswerHead = {
    status,
    statusLine: ownStatusLine(status),
    headers: lines.map(([name, value]): [string, string] => [name, latin1OfText(value)]),
    framing: bytes.length,
    keepAlive: true,
  };
  // Kong holds the answer only for a response phase or where a plugin asked for it; the others see it pass.
  if (!exchange.buffered) {
    acceptAnswer(exchange, head);
    exchange.answer.body = bytes;
  } else if (!acceptWholeAnswer(exchange, head, bytes)) exchange.abort(500);
}

/** What Kong notes when the client has its answer. */
export function finishExchange(exchange: Exchange): void {
  const took = Math.round(now() - exchange.startedAt);
  if (exchange instanceof HttpExchange) {
    exchange.latencies.kong ??= took;
    exchange.latencies.request = took;
    exchange.bytesSent = exchange.answer.headers.byteLength + (exchange.answer.body?.length ?? 0);
  } else {
    exchange.session.latencies.session = took;
    exchange.session.status = exchange.aborted?.status ?? 200;
  }
}

function oneTry(exchange: Exchange) {
  const at = now();
  return {
    ip: '127.0.0.1',
    port: exchange.destination?.port ?? 80,
    balancer_start: Math.floor(at),
    balancer_start_ns: Math.floor(at * 1e6),
    balancer_latency: 0,
    balancer_latency_ns: 0,
  };
}
