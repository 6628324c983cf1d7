import http from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Upstream {
  readonly port: number;
  readonly requests: {
    method: string;
    url: string;
    headers: http.IncomingHttpHeaders;
    rawHeaders: string[];
    body: Buffer;
  }[];
  close(): Promise<void>;
}

/** The upstream that the transcripts were recorded with: answers with what it got. */
export async function echoUpstream(handler?: http.RequestListener): Promise<Upstream> {
  const requests: Upstream['requests'] = [];
  const server = http.createServer((request, response) => {
    if (handler !== undefined) {
      handler(request, response);
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const { method = '', url = '', headers, rawHeaders } = request;
      requests.push({ method, url, headers, rawHeaders, body });
      const text = JSON.stringify({
        m: method,
        u: url,
        h: headers,
        b: body.length > 5000 ? body.length : body.toString(),
      });
      response.writeHead(200, {
        'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(text),
        'x-upstream': 'yes',
      });
      response.end(text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}
