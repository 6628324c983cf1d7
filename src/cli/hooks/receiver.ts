import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KongTsError, messageOf } from '../../base/errors.ts';
import { bounded, httpLimits } from '../../http/index.ts';

/** A request that the receiver got. */
export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface ReceiverOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** What every request is answered with. */
  readonly status: number;
  readonly received: (request: ReceivedRequest) => void;
}

export interface Receiver {
  readonly url: string;
  close(): Promise<void>;
}

/** A longer body is refused with 413. A delivery of the dispatcher holds a little more than 1 MiB at most. */
const maxBody = 2 * 1024 * 1024;

/**
 * A target for hooks on this machine: hands every request on and answers it.
 * @throws KongTsError PORT_IN_USE
 */
export async function startReceiver(options: ReceiverOptions): Promise<Receiver> {
  const server = bounded(
    createServer(httpLimits, (request, response) => {
      receive(request, response, options).catch(() => response.destroy());
    }),
  );
  server.listen(options.port, options.host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new KongTsError(
      'PORT_IN_USE',
      `The receiver cannot listen on ${options.host}:${String(options.port)}: ${messageOf(cause)}.`,
      { cause, fix: 'Choose another port with --port PORT.' },
    );
  }
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    url: `http://${host}:${String(port)}/`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function receive(
  request: IncomingMessage,
  response: ServerResponse,
  { status, received }: ReceiverOptions,
): Promise<void> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size <= maxBody) pieces.push(piece);
  }
  if (size > maxBody) {
    response.writeHead(413).end();
    return;
  }
  const { method = 'GET', url = '/', headers } = request;
  // Answered after it is shown: the sender's word that it was delivered comes second.
  received({ method, path: url, headers, body: Buffer.concat(pieces) });
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(status === 204 || status === 304 ? undefined : '{"received":true}\n');
}
