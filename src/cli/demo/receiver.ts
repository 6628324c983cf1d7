import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { KongTsError, messageOf } from '../../errors.ts';

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

/** How many requests are kept, and how much of a body: older ones and the rest are dropped. */
const maxKept = 5000;
const maxBody = 64 * 1024;

/**
 * The demo's upstream, which is also the endpoint of its logs and its webhook: answers everything with 200 and keeps
 * it. `GET /received` lists what came (`?path=/logs` for the paths that start so), `DELETE /received` forgets it.
 *
 * @throws KongTsError PORT_IN_USE naming the port and the option that changes it
 */
export async function startReceiver(host: string, port: number): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    receive(request, response, received).catch(() => response.destroy());
  });
  await listen(server, host, port, '--upstream-port');
  return {
    received,
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
      throw new KongTsError('USAGE', `Nothing can listen on ${host}: it is no address of this machine.`, {
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

async function receive(
  request: IncomingMessage,
  response: ServerResponse,
  received: Received[],
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://upstream');
  if (url.pathname === '/received') {
    if (request.method === 'DELETE') received.length = 0;
    const prefix = url.searchParams.get('path') ?? '/';
    answer(
      response,
      received.filter(({ path }) => path.startsWith(prefix)),
    );
    return;
  }
  const body = await readBody(request);
  received.push({
    at: new Date().toISOString(),
    method: request.method ?? 'GET',
    path: url.pathname + url.search,
    headers: request.headers,
    body,
  });
  if (received.length > maxKept) received.splice(0, received.length - maxKept);
  answer(response, { upstream: 'demo', method: request.method, path: url.pathname + url.search });
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    if (length < maxBody) chunks.push(chunk);
    length += chunk.length;
  }
  const text = Buffer.concat(chunks).toString('utf8');
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function answer(response: ServerResponse, value: unknown): void {
  const body = `${JSON.stringify(value, null, 2)}\n`;
  response.writeHead(200, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}
