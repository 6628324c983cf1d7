import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Callers } from './callers.ts';
import { foreignCaller } from './callers.ts';
import { endToEnd, framingOf, UnforwardableError } from './headers.ts';

/** Connections that have brought a refused request. */
const refused = new WeakSet<Socket>();

/** Whether a connection has brought a request that a door has refused. Later requests on it are not answered. */
export const wasRefused = (connection: Socket): boolean => refused.has(connection);

/**
 * The door of a listener. It hands on requests of permitted callers that all readers understand in one way, and refuses
 * others with JSON. After a refused request it takes nothing more from the connection, because later bytes may be a
 * part of that request.
 * @param callers the clients that may call without a token; null: everybody who can connect
 */
export function door(
  callers: Callers | null,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): RequestListener {
  return (request, response) => {
    const { socket } = request;
    if (refused.has(socket)) return;
    const refusal = refusalOf(request, callers);
    if (refusal === null) {
      handle(request, response);
      return;
    }
    refused.add(socket);
    const [status, message] = refusal;
    response.shouldKeepAlive = false;
    response.writeHead(status, STATUS_CODES[status] ?? '', {
      'content-type': 'application/json; charset=utf-8',
    });
    response.end(request.method === 'HEAD' ? undefined : JSON.stringify({ message }));
  };
}

type Refusal = readonly [status: number, message: string];

function refusalOf(request: IncomingMessage, callers: Callers | null): Refusal | null {
  const misread = misreadable(request);
  if (misread !== null) return misread;
  const foreign = callers === null ? null : foreignCaller(request.method ?? 'GET', request.headers, callers);
  return foreign === null ? null : [403, foreign];
}

/**
 * Why readers could understand a request in different ways: its length (RFC 9112, section 6), whom it is for (section
 * 3.2), or what `Connection` takes away from it. Requests that Node's parser refuses never come here.
 */
function misreadable({ rawHeaders, httpVersion, method, url = '/' }: IncomingMessage): Refusal | null {
  try {
    const framing = framingOf(rawHeaders);
    endToEnd(rawHeaders);
    if (framing.kind === 'chunked' && httpVersion !== '1.1')
      return [400, 'HTTP/1.0 knows no Transfer-Encoding.'];
  } catch (error) {
    if (error instanceof UnforwardableError) return [error.status, error.message];
    throw error;
  }
  const hosts = rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === 'host');
  if (hosts.length > 1) return [400, 'The request has more than one Host.'];
  if (url.startsWith('/') || (url === '*' && method === 'OPTIONS')) return null;
  return [400, 'The target of a request has to be a path; the name of the server stands in Host.'];
}
