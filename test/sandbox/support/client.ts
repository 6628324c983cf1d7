import http from 'node:http';
import https from 'node:https';

export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  rawHeaders: string[];
  body: Buffer;
  text: string;
}

export interface RequestOptions {
  method?: string;
  headers?: string[] | Record<string, string>;
  body?: Buffer | string;
  agent?: http.Agent;
}

/** One request; headers are sent as given. Rejects when the connection ends without an answer. */
export function send(url: string, options: RequestOptions = {}): Promise<Answer> {
  const { protocol } = new URL(url);
  const target = url.replace(/^https?:\/\/[^/]+/, '');
  return new Promise((resolve, reject) => {
    const request = (protocol === 'https:' ? https : http).request(
      url,
      {
        method: options.method ?? 'GET',
        path: target === '' ? '/' : target,
        headers: options.headers ?? {},
        rejectUnauthorized: false,
        ...(options.agent === undefined ? {} : { agent: options.agent }),
        ...(protocol === 'https:' ? { servername: 'api.example.test' } : {}),
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const body = Buffer.concat(chunks);
          const { statusCode = 0, headers, rawHeaders } = response;
          resolve({ status: statusCode, headers, rawHeaders, body, text: body.toString() });
        });
      },
    );
    request.on('error', reject);
    request.end(options.body);
  });
}
