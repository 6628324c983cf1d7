import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import type { Callers, HttpLimits } from '../../http/index.ts';
import { door, wasRefused, bounded } from '../../http/index.ts';
import type { RefusalStatus } from '../../http/http1/index.ts';
import { createNodeServer, ownStatusLine } from '../../http/http1/index.ts';

import { isConsolePath } from './console/page.ts';

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

/** The other API that answers behind the same door. */
export interface Front {
  /** Whether a path is the event hooks' own. */
  isOurs(url: string): boolean;
  readonly handle: Handle;
}

export interface ListenerOptions {
  /** Answers paths that are not ours; null: there is nothing else. */
  readonly front: Front | null;
  /** Which callers are let in; null: everybody who can connect. */
  readonly callers: Callers | null;
  readonly limits: HttpLimits;
}

/**
 * The HTTP server: its limits, its callers, and which paths are Kong's. In front of Kong, it reads requests as Kong's
 * nginx does, so it refuses none that Kong would answer.
 */
export function createListener(ours: Handle, { front, callers, limits }: ListenerOptions): Server {
  const handle = door(callers, (request, response) => {
    const { url = '/' } = request;
    if (front === null || front.isOurs(url) || isConsolePath(url)) ours(request, response);
    else front.handle(request, response);
  });
  if (front === null) return bounded(createServer(limits, handle), limits);
  return bounded(createNodeServer({ limits, handle, refuse: refuseRead }), limits);
}

const reasons: Readonly<Record<RefusalStatus, string>> = {
  400: 'The request is not HTTP, or readers could understand it in two ways.',
  405: 'Method not allowed',
  408: 'The request did not come in time.',
  414: 'The request line is too long.',
  494: 'A header is too long, or there are too many.',
  501: 'Of transfer codings only "chunked" is understood.',
  505: 'Only HTTP/1 is understood.',
};

/** Answers a request with the status that nginx refuses it with. */
function refuseRead(status: RefusalStatus, response: ServerResponse): void {
  // nginx's own number for headers that are too large, which it shows as 400.
  say(response, status === 494 ? 400 : status, reasons[status]);
}

function say(response: ServerResponse, status: number, message: string): void {
  response.shouldKeepAlive = false;
  response.writeHead(status, ownStatusLine(status).slice(4), {
    'content-type': 'application/json; charset=utf-8',
  });
  response.end(JSON.stringify({ message }));
}

const unread: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** Answers what Node's parser cannot read. */
export function refuseUnread({ code }: { readonly code: string }, client: Socket): void {
  const status = unread[code] ?? '400 Bad Request';
  if (client.writable && !wasRefused(client)) client.write(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
  // A client that does not read the answer would not close its end either.
  client.destroySoon();
}
