import http from 'node:http';
import { text } from 'node:stream/consumers';

/** How long one answer may take, in milliseconds. */
const limitMs = 30_000;

/** One request on a connection of its own: one that was kept may still lead to an nginx worker that is on its way out. */
export function askOnce(
  method: string,
  url: string,
  body?: object,
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const headers = {
      connection: 'close',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    const signal = AbortSignal.timeout(limitMs);
    const request = http.request(url, { method, agent: false, headers, signal }, (response) => {
      text(response).then((said) => resolve({ status: response.statusCode ?? 0, text: said }), reject);
    });
    request.once('error', reject);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
