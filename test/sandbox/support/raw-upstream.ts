import net from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import type { Upstream } from './upstream.ts';

export interface RawUpstream extends Upstream {
  /** The head of every request, in latin1. */
  readonly heads: string[];
  /** What the next requests are answered with. */
  answer: RawAnswer;
}

/** Bytes after which the connection stays open, or what is done with the connection. */
export type RawAnswer = string | ((socket: Socket, request: string) => void);

/** An upstream that answers every request with bytes, valid HTTP or not. */
export async function rawUpstream(answer: RawAnswer = ''): Promise<RawUpstream> {
  const sockets = new Set<Socket>();
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    let received = '';
    socket.setEncoding('latin1').on('data', (piece: string) => {
      received += piece;
      const end = received.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = Number(/^content-length: *(\d+)/im.exec(received)?.[1] ?? 0);
      if (received.length < end + 4 + length) return;
      const request = received;
      received = '';
      upstream.heads.push(request.slice(0, end));
      if (typeof upstream.answer === 'string') socket.write(upstream.answer, 'latin1');
      else upstream.answer(socket, request);
    });
    socket.on('end', () => socket.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const upstream: RawUpstream = {
    port: (server.address() as AddressInfo).port,
    requests: [],
    heads: [],
    answer,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
  return upstream;
}

/** Sends bytes; resolves with what came, in latin1, when the connection ends or `enough` has come. */
export function rawExchange(url: string, text: string, enough?: RegExp): Promise<string> {
  const { port, hostname } = new URL(url);
  return new Promise((resolve) => {
    const socket = net.connect(Number(port), hostname);
    let answer = '';
    socket.setEncoding('latin1').on('data', (piece: string) => {
      answer += piece;
      if (enough?.test(answer) === true) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.once('close', () => resolve(answer));
    socket.write(text, 'latin1');
  });
}

/** A GET after which the connection ends. */
export const getOnce = (path = '/', ...headers: string[]): string =>
  ['GET ' + path + ' HTTP/1.1', 'Host: a', 'Connection: close', ...headers, '', ''].join('\r\n');
