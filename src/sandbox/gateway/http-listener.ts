import http from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { errorBody, errorMessage } from './errors.ts';
import { handleHttp, type HttpHandlerOptions } from './http-handler.ts';
import { requestId } from './ids.ts';
import { listenError, type ListenAddress } from './listen.ts';
import { serverHeader } from './node-state.ts';
import { checkWithoutSni, sniCallback, tlsInfoOf, type TlsSide } from './tls.ts';

export interface HttpListener {
  readonly port: number;
  /** Stops listening; connections get `graceMs` to finish what they are at. */
  close(graceMs: number): Promise<void>;
}

const serverOptions: http.ServerOptions = {
  maxHeaderSize: 32 * 1024,
  keepAliveTimeout: 65_000,
  headersTimeout: 60_000,
  requestTimeout: 0,
  // Checked here, so that the answer is nginx's.
  requireHostHeader: false,
};

/** Listens for HTTP/1.1, in the clear or over TLS. @throws KongTsError PORT_IN_USE, SOCKET_UNUSABLE */
export async function listenHttp(
  address: ListenAddress,
  options: HttpHandlerOptions & { tls: TlsSide; workers: number },
): Promise<HttpListener> {
  const { statistics } = options.node;
  const workerOf = new WeakMap<Socket, number>();
  let next = 0;
  const accept = (socket: Socket): void => {
    workerOf.set(socket, next++ % options.workers);
    statistics.connections_accepted++;
    statistics.connections_handled++;
    statistics.connections_active++;
    socket.once('close', () => statistics.connections_active--);
  };
  const serve = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    const { socket } = request;
    if (!hasOneHost(request)) {
      refuse(400, socket);
      return;
    }
    const tls = socket instanceof TLSSocket ? tlsInfoOf(socket) : null;
    const tooLong = lineTooLong(request);
    // nginx's own words for it.
    if (tooLong === 414) response.statusMessage = 'Request-URI Too Large';
    void handleHttp(options, request, response, workerOf.get(socket) ?? 0, tls, tooLong);
  };
  let port = address.port;
  const server = address.tls
    ? https.createServer(
        {
          ...serverOptions,
          SNICallback: sniCallback(options.tls, 'http', () => port),
        },
        serve,
      )
    : http.createServer(serverOptions, serve);
  if (server instanceof https.Server) {
    server.setSecureContext(options.tls.certificates.fallbackOptions);
    server.on('secureConnection', (socket) => {
      accept(socket);
      void checkWithoutSni(options.tls, 'http', socket).then((accepted) => {
        if (!accepted) socket.destroy();
      });
    });
    server.on('tlsClientError', () => undefined);
  } else server.on('connection', accept);
  // nginx passes on what it does not know, where Node answers 417.
  server.on('checkExpectation', serve);
  server.on('connect', (_request, socket) => refuse(405, socket as Socket));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => refuseBytes(error, socket as Socket));
  port = await listen(server, address);
  return { port, close: (graceMs) => close(server, graceMs) };
}

function listen(server: http.Server | https.Server, address: ListenAddress): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(address, error)));
    server.listen(address.port, address.host, () => resolve((server.address() as AddressInfo).port));
  });
}

async function close(server: http.Server | https.Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearTimeout(timer);
}

/** HTTP/1.1 wants one Host, and nobody may send two. */
function hasOneHost({ httpVersion, rawHeaders }: http.IncomingMessage): boolean {
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) if (rawHeaders[i]?.toLowerCase() === 'host') hosts++;
  return hosts === 1 || (hosts === 0 && httpVersion === '1.0');
}

/** nginx's `large_client_header_buffers 4 8k`: each line has to fit into one of them, its end included. */
const maxLine = 8192;

/** 414 for a request line, 494 for a header line that nginx has no buffer for; null where all fit. */
function lineTooLong({ method = '', url = '', rawHeaders }: http.IncomingMessage): 414 | 494 | null {
  if (method.length + url.length + ' '.length * 2 + 'HTTP/1.1\r\n'.length > maxLine) return 414;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const length = (rawHeaders[i]?.length ?? 0) + (rawHeaders[i + 1]?.length ?? 0) + ': \r\n'.length;
    if (length > maxLine) return 494;
  }
  return null;
}

/** Kong's answer to bytes that are no HTTP request. */
function refuseBytes(error: NodeJS.ErrnoException & { rawPacket?: Buffer }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable || socket.bytesWritten > 0) socket.destroy();
  else if (error.code !== 'HPE_HEADER_OVERFLOW') refuse(400, socket);
  else refuse(isRequestLine(error.rawPacket) ? 414 : 494, socket);
}

/** Whether what was received last is the beginning, or the middle, of a first line that has no end. */
const isRequestLine = (packet: Buffer | undefined): boolean =>
  packet?.subarray(0, maxLine).includes(10) === false;

const reasons = {
  400: '400 Bad Request',
  405: '405 Method Not Allowed',
  414: '414 Request-URI Too Large',
  // nginx has no words for a status of its own.
  494: '494 ',
} as const;

/** Answers in place of a route, and ends the connection. */
function refuse(status: keyof typeof reasons, socket: Socket): void {
  const id = requestId();
  const { body, contentType } = errorBody(errorMessage(status), id, 'application/json');
  const head = [
    `HTTP/1.1 ${reasons[status]}`,
    `Date: ${new Date().toUTCString()}`,
    `Content-Type: ${contentType}`,
    'Connection: close',
    `Content-Length: ${String(body.length)}`,
    'X-Kong-Response-Latency: 0',
    `Server: ${serverHeader}`,
    `X-Kong-Request-Id: ${id}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body.toString('latin1')}`);
}
