import { isIP, connect as connectTcp } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** How certificates are looked at, and which one is shown. */
export interface TlsOptions {
  /** Whether the other side's certificate must be valid for its name. */
  readonly verify: boolean;
  /** PEM authorities to trust instead of the well-known ones, null: those. */
  readonly ca: string | null;
  /** PEM certificate and key that are presented, null: none. */
  readonly certificate: string | null;
  readonly key: string | null;
}

/** What comes on a connection. */
export interface SocketEvents {
  /** The connection is open, its TLS handshake done. */
  opened(): void;
  /** Bytes that are valid during this call only. */
  data(bytes: Buffer): void;
  /** It has ended, with an error or without. Comes once. */
  closed(error: Error | null): void;
}

/** All connections read into it: what is read is looked at before anything else is read. */
const readBuffer = Buffer.allocUnsafeSlow(65_536);
const keepAliveProbeMs = 60_000;

/** Opens connections to one place. */
export class PostConnector {
  readonly #host: string;
  readonly #port: number;
  readonly #tls: TlsOptions | null;
  /** What the next handshake is shortened with. */
  #session: Buffer | undefined;

  /** @param origin scheme, host and port of an http or https URL */
  constructor(origin: string, tls: TlsOptions) {
    const url = new URL(origin);
    this.#host = url.hostname.replace(/^\[|\]$/g, '');
    this.#tls = url.protocol === 'https:' ? tls : null;
    this.#port = Number(url.port) || (this.#tls === null ? 80 : 443);
  }

  /** Nobody hears of an error but `closed`. */
  connect(events: SocketEvents): Socket {
    const to = { host: this.#host, port: this.#port, noDelay: true };
    const socket = this.#tls === null ? plain(to, events) : this.#encrypted(to, this.#tls, events);
    let failure: Error | null = null;
    socket.setKeepAlive(true, keepAliveProbeMs);
    socket.on('error', (error) => (failure ??= error));
    socket.on('close', () => events.closed(failure));
    return socket;
  }

  #encrypted(
    to: { host: string; port: number; noDelay: boolean },
    tls: TlsOptions,
    events: SocketEvents,
  ): Socket {
    const { verify, ca, certificate, key } = tls;
    const socket = connectTls({
      ...to,
      // Kong's http-log speaks HTTP/1.1 only.
      ALPNProtocols: ['http/1.1'],
      rejectUnauthorized: verify,
      ...(isIP(to.host) === 0 ? { servername: to.host } : {}),
      ...(ca === null ? {} : { ca }),
      ...(certificate === null || key === null ? {} : { cert: certificate, key }),
      ...(this.#session === undefined ? {} : { session: this.#session }),
    });
    socket.on('session', (session: Buffer) => (this.#session = session));
    socket.once('secureConnect', () => events.opened());
    socket.on('data', (bytes: Buffer) => events.data(bytes));
    // A session that the other side does not take any more is not offered again.
    socket.once('error', () => (this.#session = undefined));
    return socket;
  }
}

function plain(to: { host: string; port: number; noDelay: boolean }, events: SocketEvents): Socket {
  const socket = connectTcp({
    ...to,
    onread: {
      buffer: readBuffer,
      callback: (length) => {
        events.data(readBuffer.subarray(0, length));
        return true;
      },
    },
  });
  socket.once('connect', () => events.opened());
  return socket;
}
