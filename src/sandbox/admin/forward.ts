import { request as httpRequest } from 'node:http';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { messageOf } from '../../errors.ts';

/** Headers that belong to one connection and are not passed on. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Passes a request on as it is and streams the answer back; 502 with a clear text when nobody answers. */
export function forward(target: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const headers = passable(request.headers);
  const unix = target.protocol === 'unix:';
  if (!unix) headers['host'] = target.host;
  const path = `${unix ? '' : target.pathname.replace(/\/$/, '')}${request.url ?? '/'}`;
  const send = target.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve) => {
    const upstream = send({
      ...(unix
        ? { socketPath: target.pathname }
        : { hostname: target.hostname.replace(/^\[|\]$/g, ''), port: target.port }),
      method: request.method,
      path,
      headers,
      agent: false,
    });
    response.once('close', () => {
      upstream.destroy();
      resolve();
    });
    upstream.once('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, passable(answer.headers));
      answer.once('error', () => response.destroy());
      answer.pipe(response);
    });
    upstream.once('error', (error) => {
      if (response.headersSent) response.destroy();
      else {
        const body = JSON.stringify({
          message: `The event hooks dispatcher at ${target.href} cannot be reached: ${messageOf(error)}`,
        });
        response.writeHead(502, {
          'content-type': 'application/json; charset=utf-8',
          'content-length': Buffer.byteLength(body),
        });
        response.end(body);
      }
    });
    request.pipe(upstream);
  });
}

function passable(headers: IncomingMessage['headers']): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.has(name)));
}
