import http from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

/** An HTTP server on this machine that containers reach: upstream, log endpoint and webhook target in one. */
export interface Recorder {
  readonly port: number;
  readonly received: Received[];
  close(): Promise<void>;
}

/** Answers every request with what it got, as JSON. */
export async function startRecorder(): Promise<Recorder> {
  const received: Received[] = [];
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers, rawHeaders } = request;
      received.push({ method, url, headers, rawHeaders, body: Buffer.concat(chunks) });
      response.writeHead(200, { 'content-type': 'application/json', 'x-upstream': 'yes' });
      response.end(JSON.stringify({ method, url, headers }));
    });
  });
  server.keepAliveTimeout = 30_000;
  // Containers come in over the engine's bridge, whose address is not known before it is asked for.
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    received,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
