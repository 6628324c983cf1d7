import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Callers } from '../../http/index.ts';
import { foreignCaller, isLoopback, bounded, httpLimits } from '../../http/index.ts';
import { KongTsError, messageOf } from '../../base/errors.ts';

/** One request that the receiver got. */
export interface Received {
  at: string;
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  /** Parsed where it is JSON, else text. */
  body: unknown;
}

export interface Receiver {
  readonly received: readonly Received[];
  close(): Promise<void>;
}

/**
 * How many requests are kept, how many bytes of them all, and how much of each body. Older requests and the rest of a
 * body are dropped.
 */
const maxKept = 5000;
const maxKeptBytes = 32 * 1024 * 1024;
const maxBody = 64 * 1024;

/**
 * The demo's upstream, which is also the endpoint of its logs and its webhook: it answers every request with 200 and
 * keeps it. `GET /received` lists the requests (`?path=/logs`: those whose path starts so). `DELETE /received` forgets
 * them.
 *
 * @throws KongTsError PORT_IN_USE naming the port and the option that changes it
 */
export async function startReceiver(host: string, port: number): Promise<Receiver> {
  const kept = new Kept();
  const callers: Callers = { loopback: isLoopback(host), names: [] };
  const server = bounded(
    createServer(httpLimits, (request, response) => {
      receive(request, response, kept, callers).catch(() => response.destroy());
    }),
  );
  await listen(server, host, port, '--upstream-port');
  return {
    received: kept.all,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Fails when something else listens there already. */
export async function checkPort(host: string, port: number, option: string): Promise<void> {
  const server = createServer();
  await listen(server, host, port, option);
  await new Promise((resolve) => server.close(resolve));
}

async function listen(server: Server, host: string, port: number, option: string): Promise<void> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : null;
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
      throw new KongTsError('USAGE', `Nothing can listen on ${host}: it is not an address of this machine.`, {
        cause,
        fix: 'Choose another one with --host ADDRESS.',
      });
    }
    const why =
      code === 'EADDRINUSE' ? 'is taken by another process' : `cannot be listened on (${messageOf(cause)})`;
    throw new KongTsError('PORT_IN_USE', `Port ${port} on ${host} ${why}.`, {
      cause,
      fix: `End that process, or choose another port with ${option} PORT.`,
    });
  }
}

/** What was received, bounded in number and bytes. */
class Kept {
  readonly all: Received[] = [];
  readonly #sizes: number[] = [];
  #bytes = 0;

  add(received: Received): void {
    const size = JSON.stringify(received).length;
    this.all.push(received);
    this.#sizes.push(size);
    this.#bytes += size;
    while (this.all.length > maxKept || this.#bytes > maxKeptBytes) {
      this.all.shift();
      this.#bytes -= this.#sizes.shift() ?? 0;
    }
  }

  clear(): void {
    this.all.length = 0;
    this.#sizes.length = 0;
    this.#bytes = 0;
  }
}

async function receive(
  request: IncomingMessage,
  response: ServerResponse,
  kept: Kept,
  callers: Callers,
): Promise<void> {
  const [path = '/', query = ''] = (request.url ?? '/').split('?', 2);
  if (path === '/received') {
    const foreign = foreignCaller(request.method ?? 'GET', request.headers, callers);
    if (foreign !== null) {
      answer(response, { message: foreign }, 403);
      return;
    }
    if (request.method === 'DELETE') kept.clear();
    const prefix = new URLSearchParams(query).get('path') ?? '/';
    answer(
      response,
      kept.all.filter((one) => one.path.startsWith(prefix)),
    );
    return;
  }
  const { method = 'GET', url = '/', headers } = request;
  const body = await readBody(request);
  kept.add({ at: new Date().toISOString(), method, path: url, headers, body });
  answer(response, { upstream: 'demo', method, path: url });
}

/** JSON where the body is JSON that can be written again, else text. */
async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    if (length < maxBody) chunks.push(chunk);
    length += chunk.length;
  }
  const text = Buffer.concat(chunks).toString('utf8');
  try {
    const body = JSON.parse(text) as unknown;
    JSON.stringify(body);
    return body;
  } catch {
    return text;
  }
}

function answer(response: ServerResponse, value: unknown, status = 200): void {
  const body = `${JSON.stringify(value, null, 2)}\n`;
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}
