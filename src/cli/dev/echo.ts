import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { bounded, httpLimits } from '../../http/index.ts';

/** How much of a body is shown, in bytes. */
const longestBody = 64 * 1024;

export interface Echo {
  close(): Promise<void>;
}

/** An upstream that answers each request with what it has been sent: method, target, headers and body, as JSON. */
export async function startEcho(host: string, port: number): Promise<Echo> {
  const server = bounded(
    createServer(httpLimits, (request, response) => {
      echo(request, response).catch(() => response.destroy());
    }),
  );
  server.listen(port, host);
  await once(server, 'listening');
  return {
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function echo(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, url, headers } = request;
  const body = `${JSON.stringify({ method, path: url, headers, body: await bodyOf(request) }, null, 2)}\n`;
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

/** JSON where it is some, else text; null for none. */
async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    if (length < longestBody) chunks.push(chunk);
    length += chunk.length;
  }
  if (length === 0) return null;
  const text = Buffer.concat(chunks).subarray(0, longestBody).toString('utf8');
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
