import { messageOf } from '../../base/errors.ts';
import type { ClientResponse } from '../../http/http1/index.ts';
import { acceptAnswer, acceptWholeAnswer, connectionOf, now } from '../../kong-end/index.ts';
import type { HttpExchange } from '../../kong-end/index.ts';
import { answerHead } from './answer-head.ts';
import type { UpstreamMessage } from './attempt.ts';
import { BrokenAnswer } from './upstream/answer-body.ts';

/** Answers above this are not held in memory for the response phase. */
const maxBufferedBody = 128 * 1024 * 1024;

/**
 * Reads the upstream's whole answer for the response phase. If it breaks off, or has a status that Kong does not take,
 * Kong makes its own answer, and no response phase runs.
 */
export async function bufferAnswer(exchange: HttpExchange, message: UpstreamMessage): Promise<void> {
  let body: Buffer;
  try {
    body = await wholeBody(message);
  } catch (error) {
    exchange.node.log('error', `[proxy] ${exchange.method} ${exchange.uri}: ${messageOf(error)}`);
    exchange.abortTruncated(message.head.status);
    return;
  }
  exchange.responseStart = now();
  const { latencies } = exchange;
  latencies.waiting = Math.round(exchange.responseStart - exchange.startedAt) - (latencies.kong ?? 0);
  if (acceptWholeAnswer(exchange, message.head, body)) return;
  exchange.node.log('error', `[kong] code must be a number between 100 and 599`);
  exchange.abort(500);
}

async function wholeBody(message: UpstreamMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of message.body) {
    size += piece.length;
    if (size > maxBufferedBody)
      throw new Error(
        `the answer is larger than ${String(maxBufferedBody)} bytes, too large for a response phase`,
      );
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** nginx's postpone_output, in bytes. */
const postponed = 1460;

function hasBody({ answer: { status }, request: { method } }: HttpExchange): boolean {
  return method !== 'HEAD' && status !== 204 && status !== 304;
}

/** Sends an answer whose body is here. */
export async function sendWhole(exchange: HttpExchange, response: ClientResponse): Promise<void> {
  const head = answerHead(exchange, false);
  const { answer, request } = exchange;
  const body = hasBody(exchange) ? (answer.body ?? Buffer.alloc(0)) : Buffer.alloc(0);
  try {
    // Nothing makes nginx send these: they go when they fill a buffer of it, and else never.
    if (answer.status < 200 && head.length + body.length < postponed)
      exchange.connection = connectionOf(request, true);
    else {
      response.head(head);
      if (body.length > 0) await response.body(framed(exchange, body));
      if (answer.chunked && hasBody(exchange)) await response.body(lastChunk);
    }
    await response.end();
  } catch (error) {
    exchange.node.log('info', `[proxy] ${exchange.method} ${exchange.uri}: ${messageOf(error)}`);
  }
  if (exchange.responseStart !== null)
    exchange.latencies.receive = Math.round(now() - exchange.responseStart);
  exchange.bytesSent = response.bytes;
}

/**
 * Passes the upstream's answer on as it comes. Rejects when either side goes away: then the client's connection is cut
 * off, and what nginx has not sent yet is not sent any more (measured on Kong 3.9.3).
 */
export async function sendStream(
  exchange: HttpExchange,
  message: UpstreamMessage,
  response: ClientResponse,
): Promise<void> {
  acceptAnswer(exchange, message.head);
  const start = now();
  const head = answerHead(exchange, true);
  const begin = (): void => response.head(head);
  let begun = false;
  try {
    for await (const piece of message.body) {
      if (!begun) begin();
      begun = true;
      await response.body(framed(exchange, piece));
    }
    if (!begun) begin();
    if (exchange.answer.chunked) await response.body(lastChunk);
    await response.end();
  } catch (error) {
    if (error instanceof BrokenAnswer) exchange.terminated = true;
    message.abandon();
    response.destroy();
    throw error;
  } finally {
    exchange.latencies.receive = Math.round(now() - start);
    exchange.bytesSent = response.bytes;
  }
}

const lastChunk = Buffer.from('0\r\n\r\n');

function framed({ answer }: HttpExchange, piece: Buffer): Buffer {
  if (!answer.chunked) return piece;
  return Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]);
}
