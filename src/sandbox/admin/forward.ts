import { request as httpRequest } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { messageOf } from '../../base/errors.ts';
import {
  foreignCaller,
  answerFraming,
  endToEnd,
  framingHeaders,
  framingOf,
  reasonPhrase,
  UnforwardableError,
} from '../../http/index.ts';

/**
 * Passes a request on to the dispatcher of event hooks and streams the answer back; 502 with a clear text when nobody
 * answers. Host is the dispatcher's afterwards, so a foreign one is refused here.
 */
export function forward(target: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const callers = { loopback: false, names: [] };
  const foreign = foreignCaller(request.method ?? 'GET', request.headers, callers);
  if (foreign !== null) {
    answer(response, 403, foreign);
    return Promise.resolve();
  }
  const unix = target.protocol === 'unix:';
  let headers: string[];
  let framing: ReturnType<typeof framingOf>;
  try {
    framing = framingOf(request.rawHeaders);
    headers = [
      ...endToEnd(request.rawHeaders).filter((_, at, all) => all[at - (at % 2)]?.toLowerCase() !== 'host'),
      ...framingHeaders(framing),
      'Host',
      unix ? 'localhost' : target.host,
    ];
  } catch (error) {
    answer(response, error instanceof UnforwardableError ? error.status : 400, messageOf(error));
    return Promise.resolve();
  }
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
    const unreachable = (error: unknown): void => {
      if (response.headersSent) response.destroy();
      else
        answer(
          response,
          502,
          `The event hooks dispatcher at ${target.href} cannot be reached: ${messageOf(error)}`,
        );
    };
    response.once('close', () => {
      upstream.destroy();
      resolve();
    });
    upstream.once('response', (given) => {
      given.once('error', () => response.destroy());
      try {
        const status = given.statusCode ?? 502;
        const length = answerFraming(request.method ?? 'GET', status, framingOf(given.rawHeaders));
        const kept = [...endToEnd(given.rawHeaders), ...framingHeaders(length)];
        response.writeHead(status, reasonPhrase(given.statusMessage), kept);
        given.pipe(response);
      } catch (error) {
        given.destroy();
        unreachable(error);
      }
    });
    upstream.once('upgrade', (_given, socket) => {
      socket.destroy();
      unreachable(new Error('it changes the protocol, which nobody asked for'));
    });
    upstream.once('error', unreachable);
    if (framing.kind === 'none') upstream.end();
    else request.pipe(upstream);
  });
}

function answer(response: ServerResponse, status: number, message: string): void {
  const body = JSON.stringify({ message });
  // Later bytes on the connection may belong to the refused request.
  response.shouldKeepAlive = false;
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}
