import type { Socket } from 'node:net';

type HeadHandler = (status: number, ...rest: unknown[]) => unknown;

/**
 * A `100 Continue` that nobody asked for is passed over, as RFC 9110 (section 15.2) asks of a client. undici ends the
 * connection at it, whatever answer follows: a target that sends one with each answer would get each event again and
 * again, while it has all of them. undici reads all other informational answers; it is told of one of those instead. Its
 * parser is no part of what undici documents: it is looked at before it is used, and where it is another one, undici's own way stays.
 */
export function passOverContinue(socket: Socket): void {
  const parser = parserOf(socket);
  if (parser === null) return;
  const handle = parser.onHeadersComplete;
  parser.onHeadersComplete = (status, ...rest) => handle.call(parser, status === 100 ? 102 : status, ...rest);
}

function parserOf(socket: Socket): { onHeadersComplete: HeadHandler } | null {
  const symbol = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'parser');
  if (symbol === undefined) return null;
  const parser = (socket as unknown as Record<symbol, unknown>)[symbol];
  if (typeof parser !== 'object' || parser === null || !('onHeadersComplete' in parser)) return null;
  return typeof parser.onHeadersComplete === 'function'
    ? (parser as { onHeadersComplete: HeadHandler })
    : null;
}
