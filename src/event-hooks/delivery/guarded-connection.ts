import type { LookupFunction, Socket } from 'node:net';
import { isIP, connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { TargetGuard } from './target-guard.ts';

/** An open connection, of TCP or TLS. */
export type Connection = Socket;

/** Where a connection goes. */
export interface ConnectTo {
  /** A name or an address. */
  readonly host: string;
  readonly port: number;
  /** Default false. */
  readonly tls?: boolean;
  /** Whether a certificate must be valid. Default true. */
  readonly sslVerify?: boolean;
}

/**
 * Connects only to an address that the guard has checked, whatever the protocol. Only the guard resolves a name, and
 * only once.
 * @param timeoutMs from the call to the open connection, the name's lookup and the TLS handshake included
 * @throws KongTsError TARGET_REFUSED, or the connection's error
 */
export async function guardedConnection(
  guard: TargetGuard,
  { host, port, tls = false, sslVerify = true }: ConnectTo,
  timeoutMs: number,
): Promise<Connection> {
  const ended = AbortSignal.timeout(timeoutMs);
  const aborted = new Promise<never>((_resolve, reject) => {
    ended.addEventListener('abort', () => {
      reject(new Error(`no connection to ${host} within ${String(timeoutMs)} ms`));
    });
  });
  const addresses = await Promise.race([guard.addresses(host), aborted]);
  const lookup: LookupFunction = (_hostname, { all }, callback) => {
    const found = addresses.map((address) => ({ address, family: isIP(address) }));
    if (all === true) callback(null, found);
    else callback(null, addresses[0], isIP(addresses[0]));
  };
  const name = host.replace(/^\[|\]$/g, '');
  const isLiteral = isIP(name) !== 0;
  const to = { host: isLiteral ? addresses[0] : name, port, lookup, autoSelectFamily: true };
  const socket = tls
    ? connectTls({ ...to, rejectUnauthorized: sslVerify, ...(isLiteral ? {} : { servername: name }) })
    : connectTcp(to);
  try {
    await Promise.race([opened(socket, tls ? 'secureConnect' : 'connect'), aborted]);
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function opened(socket: Socket, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once(event, () => {
      socket.off('error', reject);
      resolve();
    });
  });
}
