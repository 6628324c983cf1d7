import type { IncomingMessage } from 'node:http';

/** The options of a Connection header, in lower case: `close`, `keep-alive`, `upgrade`, names of headers. */
export function connectionOptions(value: string | null | undefined): Set<string> {
  return new Set((value ?? '').split(',').map((each) => each.trim().toLowerCase()));
}

/**
 * The Connection header of an answer. A client of HTTP/1.0 has to ask for a connection that stays, and knows the end
 * of an answer without a length only from the end of the connection.
 */
export function connectionOf(request: IncomingMessage, lengthKnown: boolean): 'close' | 'keep-alive' {
  const options = connectionOptions(request.headers.connection);
  if (options.has('close')) return 'close';
  const old = request.httpVersionMajor === 1 && request.httpVersionMinor === 0;
  return old && !(options.has('keep-alive') && lengthKnown) ? 'close' : 'keep-alive';
}

/**
 * Whether a request wants to leave HTTP for the WebSocket protocol. Kong looks at Upgrade alone (kong/runloop/handler.lua), and
 * then runs no response phase.
 */
export function wantsWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}
