import type { IncomingMessage, Server } from 'node:http';
import { createServer, ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Socket } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import { endUnread } from '../limits.ts';
import type { HttpLimits } from '../limits.ts';
import type { RequestHandler } from './client-connection.ts';
import { ClientConnection, nginxTimeouts } from './client-connection.ts';
import type { ClientRequest } from './client-request.ts';
import { BodyStalled } from './client-request.ts';
import type { RefusalStatus } from './request-head.ts';
import { validHost } from './request-target.ts';

/** Answers a request of node:http. `response.shouldKeepAlive = false` ends the connection after the answer. */
export type NodeHandler = (request: IncomingMessage, response: ServerResponse) => void;

export interface NodeServerOptions {
  readonly limits: HttpLimits;
  readonly handle: NodeHandler;
  /** Answers a request that nginx refuses while it reads it. */
  readonly refuse: (status: RefusalStatus, response: ServerResponse) => void;
  /** The certificate of a server that speaks TLS. Default: it does not. */
  readonly certificate?: SecureContextOptions;
}

const keepAliveProbeMs = 30_000;

/**
 * An HTTP server whose requests are read here, as Kong's nginx reads them, and are answered in the manner of node:http:
 * any method in capitals, any byte beyond ASCII in a target, bare line feeds, absolute targets. A target is a latin1
 * string, one character per byte, and never absolute; one that names another server than `Host` is refused. Each request
 * is read in this one way, wherever it stands on its connection and however its bytes are cut.
 */
export function createNodeServer(options: NodeServerOptions): Server {
  const { limits, certificate } = options;
  const timeouts = {
    headMs: limits.headersTimeout,
    bodyMs: limits.requestTimeout,
    idleMs: limits.keepAliveTimeout,
    lingerMs: Math.min(nginxTimeouts.lingerMs, limits.answerTimeoutMs),
  };
  const connections = new Map<Socket, ClientConnection>();
  const server =
    certificate === undefined ? createServer(limits) : createSecureServer({ ...certificate, ...limits });
  const connected = certificate === undefined ? 'connection' : 'secureConnection';
  // Node's parser gets nothing to read.
  server.removeAllListeners(connected);
  server.on(connected, (socket: Socket) => {
    const connection = new ClientConnection(socket, handlerOf(options), timeouts);
    connections.set(socket, connection);
    // A client that has closed its side gets its answer all the same; whether it is still there is asked now and then.
    socket.setKeepAlive(true, keepAliveProbeMs);
    endUnread(socket, limits.answerTimeoutMs);
    socket.once('close', () => connections.delete(socket));
    connection.run().catch(() => socket.destroy());
  });
  server.closeIdleConnections = () => {
    for (const connection of connections.values()) connection.close();
  };
  server.closeAllConnections = () => {
    for (const socket of connections.keys()) socket.destroy();
  };
  return server;
}

function handlerOf({ limits, handle, refuse }: NodeServerOptions): RequestHandler {
  return {
    serve: async (request) => {
      if (!namesOneServer(request)) {
        await respond(request, (response) => refuse(400, response));
        return false;
      }
      const limit = setTimeout(() => {
        request.destroy(new BodyStalled('the body did not come in time'));
      }, limits.requestTimeout);
      request.once('close', () => clearTimeout(limit));
      const stays = await respond(request, (response) => handle(request, response));
      clearTimeout(limit);
      return stays;
    },
    refuse: async (status, request) => {
      await respond(request, (response) => refuse(status, response));
    },
  };
}

/** Lets a request be answered. Resolves at the end of the answer with whether the connection may go on. */
async function respond(request: ClientRequest, answer: (response: ServerResponse) => void): Promise<boolean> {
  const { socket } = request;
  const response = new ServerResponse(request);
  response.shouldKeepAlive &&= !names(request.headers.connection, 'close');
  response.assignSocket(socket);
  // What node:http's own server does for its responses.
  const drained = (): void => void response.emit('drain');
  socket.on('drain', drained);
  const finished = new Promise<boolean>((resolve) => {
    response.once('finish', () => resolve(true));
    response.once('close', () => resolve(false));
  });
  try {
    answer(response);
  } catch {
    response.destroy();
  }
  const whole = await finished;
  socket.off('drain', drained);
  if (!whole) return false;
  response.detachSocket(socket);
  response.emit('close');
  return response.shouldKeepAlive && !names(String(response.getHeader('connection') ?? ''), 'close');
}

/**
 * Whether an absolute target and `Host` name one server. The target's counts (RFC 9112, section 3.2.2), but who looks at
 * `Host` alone would see another one. A request without `Host` gets the target's.
 */
function namesOneServer({ head, headers, rawHeaders }: ClientRequest): boolean {
  const { host } = head.target;
  if (host === null) return true;
  if (headers.host !== undefined) return host === validHost(headers.host);
  headers.host = host;
  rawHeaders.push('Host', host);
  return true;
}

const names = (header: string | undefined, option: string): boolean =>
  header?.split(',').some((each) => each.trim().toLowerCase() === option) === true;
