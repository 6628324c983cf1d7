import net from 'node:net';
import tls from 'node:tls';
import { messageOf } from '../../base/errors.ts';
import { now } from '../../kong-end/index.ts';
import type { Balancer, Destination, Exchange } from '../../kong-end/index.ts';

/** Connects to the service, trying again as Kong does. Resolves with null when nothing answers. */
export async function connectUpstream(exchange: Exchange, balancer: Balancer): Promise<net.Socket | null> {
  const destination = exchange.destination as Destination;
  for (let count = 0; count <= destination.retries; count++) {
    const start = now();
    try {
      const peer = await balancer.pick(exchange, destination);
      const took = now() - start;
      exchange.tries.push({
        ip: peer.ip,
        port: peer.port,
        balancer_start: Math.floor(start),
        balancer_start_ns: Math.floor(start * 1e6),
        balancer_latency: Math.floor(took),
        balancer_latency_ns: Math.floor(took * 1e6),
      });
      const secure = destination.scheme === 'tls' && !destination.disableTls;
      return await connect(peer, secure, exchange.tlsVerify ?? false, destination.connectTimeoutMs);
    } catch (error) {
      exchange.node.log(
        'error',
        `[stream] ${destination.host}:${String(destination.port)}: ${messageOf(error)}`,
      );
      const entry = exchange.tries.at(-1);
      if (entry !== undefined) Object.assign(entry, { state: 'failed', code: 502 });
    }
  }
  return null;
}

function connect(
  peer: { ip: string; port: number; name: string },
  secure: boolean,
  verify: boolean,
  timeoutMs: number,
): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const options = { host: peer.ip, port: peer.port, allowHalfOpen: true };
    const socket = secure
      ? tls.connect({
          ...options,
          rejectUnauthorized: verify,
          ...(net.isIP(peer.name) === 0 ? { servername: peer.name } : {}),
        })
      : net.connect(options);
    const timer = setTimeout(() => socket.destroy(new Error('connect timeout')), timeoutMs);
    socket.once('error', reject);
    socket.once('close', () => clearTimeout(timer));
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer);
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

/** Passes bytes both ways until both sides have ended, or one has failed or been silent for `idleMs`. */
export function relay(
  exchange: Exchange,
  client: net.Socket,
  upstream: net.Socket,
  idleMs: number,
): Promise<void> {
  const { traffic } = exchange.session;
  return new Promise((resolve) => {
    let open = 2;
    const closed = (): void => {
      if (--open === 0) resolve();
    };
    const end = (): void => {
      client.destroy();
      upstream.destroy();
    };
    client.on('data', (chunk: Buffer) => {
      traffic.received += chunk.length;
      traffic.upstreamSent += chunk.length;
    });
    upstream.on('data', (chunk: Buffer) => {
      traffic.upstreamReceived += chunk.length;
      traffic.sent += chunk.length;
    });
    for (const socket of [client, upstream]) {
      socket.setTimeout(idleMs, end);
      socket.on('error', end);
      if (socket.destroyed) closed();
      else socket.once('close', closed);
    }
    if (open < 2) end();
    client.pipe(upstream);
    upstream.pipe(client);
    // When the service ends, the session ends, as with nginx's proxy_half_close off.
    upstream.once('end', () => client.end(() => client.destroySoon()));
    client.once('end', () => upstream.end());
  });
}
