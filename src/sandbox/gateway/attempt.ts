import { createReadStream } from 'node:fs';
import type { Socket } from 'node:net';
import { messageOf } from '../../base/errors.ts';
import { InvalidAnswer, now, parseAnswerHead } from '../../kong-end/index.ts';
import type { AnswerHead, BodyContent } from '../../kong-end/index.ts';
import { ReadTimeout, writeTo } from '../../http/http1/index.ts';
import { answerBody, bufferSize } from './upstream/answer-body.ts';
import type { ConnectionTarget, UpstreamConnection, UpstreamConnections } from './upstream/connections.ts';
import { ConnectTimedOut } from './upstream/connections.ts';

export interface AttemptOptions {
  readonly target: ConnectionTarget;
  readonly method: string;
  /** Request line and headers as they go on the wire, the empty line included. */
  readonly head: Buffer;
  readonly body: BodyContent;
  /** Milliseconds. */
  readonly connectTimeoutMs: number;
  readonly writeTimeoutMs: number;
  readonly readTimeoutMs: number;
  readonly connections: UpstreamConnections;
  readonly signal: AbortSignal;
}

/** An upstream's answer: its head is here, its body is read from the connection. */
export interface UpstreamMessage {
  readonly head: AnswerHead;
  /** Its pieces, in the form in which they go to a client. Throws BrokenAnswer. */
  readonly body: AsyncIterable<Buffer>;
  /** Ends the connection if nobody wants the rest of the body. */
  abandon(): void;
}

/**
 * Why an attempt gave no answer.
 *
 * - `error`: no connection, or it ended before a whole head was there;
 * - `timeout`: the connection or the next bytes did not come in time;
 * - `invalid`: nginx does not take the bytes as an answer.
 */
export class AttemptFailure extends Error {
  override readonly name = 'AttemptFailure';
  readonly kind: 'error' | 'timeout' | 'invalid';
  /** The request may have reached the upstream. */
  readonly sent: boolean;
  /** The connection had been kept from a request before. */
  readonly reused: boolean;

  constructor(message: string, kind: 'error' | 'timeout' | 'invalid', sent: boolean, reused: boolean) {
    super(message);
    this.kind = kind;
    this.sent = sent;
    this.reused = reused;
  }
}

/** Sends the request to one peer; resolves when the answer's head is there. @throws AttemptFailure */
export async function attempt(options: AttemptOptions): Promise<UpstreamMessage> {
  const connection = await connectionFor(options);
  const { socket } = connection;
  const abort = (): void => void socket.destroy();
  options.signal.addEventListener('abort', abort, { once: true });
  const finish = (): void => options.signal.removeEventListener('abort', abort);
  const sending = sendRequest(socket, options);
  try {
    if (options.signal.aborted) abort();
    return await readAnswer(connection, options, sending, finish);
  } catch (error) {
    finish();
    socket.destroy();
    const kind =
      error instanceof InvalidAnswer ? 'invalid' : error instanceof ReadTimeout ? 'timeout' : 'error';
    throw new AttemptFailure(messageOf(error), kind, true, connection.requests > 0);
  }
}

async function connectionFor(options: AttemptOptions): Promise<UpstreamConnection> {
  const { connections, target, connectTimeoutMs, signal } = options;
  const kept = connections.take(target);
  if (kept !== null) return kept;
  try {
    return await connections.connect(target, connectTimeoutMs, signal);
  } catch (error) {
    const kind = error instanceof ConnectTimedOut ? 'timeout' : 'error';
    throw new AttemptFailure(messageOf(error), kind, false, false);
  }
}

/** Resolves with true when all of the request is on its way. Never rejects: a failure shows in what can be read. */
async function sendRequest(socket: Socket, { head, body, writeTimeoutMs }: AttemptOptions): Promise<boolean> {
  try {
    if (body.kind === 'memory') {
      await writeTo(socket, Buffer.concat([head, body.content]), writeTimeoutMs);
      return true;
    }
    await writeTo(socket, head, writeTimeoutMs);
    for await (const piece of createReadStream(body.path))
      await writeTo(socket, piece as Buffer, writeTimeoutMs);
    return true;
  } catch {
    return false;
  }
}

async function readAnswer(
  connection: UpstreamConnection,
  options: AttemptOptions,
  sending: Promise<boolean>,
  finish: () => void,
): Promise<UpstreamMessage> {
  const { reader, socket } = connection;
  const { head, next, bytes } = await readHead(connection, options);
  const onEnd = (rest: number): void => {
    finish();
    if (!head.keepAlive || rest > 0) socket.destroy();
    else
      void sending.then((whole) => {
        if (whole) options.connections.keep(connection);
        else socket.destroy();
      });
  };
  const body = answerBody({
    framing: head.framing,
    first: bytes.subarray(next),
    headLength: next,
    reader,
    readTimeoutMs: options.readTimeoutMs,
    onEnd,
  });
  const abandon = (): void => {
    finish();
    socket.destroy();
  };
  return { head, body: releasing(body, abandon), abandon };
}

/** Ends the connection if the body was not read to its end. */
async function* releasing(
  body: AsyncIterable<Buffer>,
  abandon: () => void,
): AsyncGenerator<Buffer, void, undefined> {
  let whole = false;
  try {
    yield* body;
    whole = true;
  } finally {
    if (!whole) abandon();
  }
}

/** How many read timeouts the whole head may take: Kong sets no limit, a hostile upstream sends one byte at a time. */
const headPatience = 10;

/** Reads the head, which has to fit into one buffer of nginx's. */
async function readHead(
  { reader }: UpstreamConnection,
  { method, readTimeoutMs }: AttemptOptions,
): Promise<{ head: AnswerHead; next: number; bytes: Buffer }> {
  const until = now() + readTimeoutMs * headPatience;
  let bytes: Buffer = Buffer.alloc(0);
  for (;;) {
    const more = await reader.read(Math.max(1, Math.min(readTimeoutMs, until - now())));
    if (more === null) throw new Error('upstream prematurely closed connection');
    bytes = bytes.length === 0 ? more : Buffer.concat([bytes, more]);
    const parsed = parseAnswerHead(bytes.subarray(0, bufferSize), method === 'HEAD');
    if (parsed !== null) return { ...parsed, bytes };
    if (bytes.length >= bufferSize) throw new InvalidAnswer('upstream sent too big header');
  }
}
