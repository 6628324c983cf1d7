import { KongTsError } from '../../base/errors.ts';
import { parseHostPort } from '../../base/host-port.ts';

/** Where a dispatcher listens: a unix socket or TCP. */
export type Address = { kind: 'unix'; path: string } | { kind: 'tcp'; host: string; port: number };

/** Reads `unix:/path` or `host:port` (`[::1]:9000` for IPv6). @throws KongTsError USAGE */
export function parseAddress(text: string): Address {
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length);
    if (path.startsWith('/')) return { kind: 'unix', path };
  }
  const { host = null, port = 0 } = parseHostPort(text) ?? {};
  if (host === null) {
    throw new KongTsError('USAGE', `"${text}" is not an address.`, {
      fix: 'Write unix:/absolute/path or host:port.',
    });
  }
  return { kind: 'tcp', host, port };
}

/** As grpc-js wants it. */
export function grpcTarget(address: Address): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${String(address.port)}`;
}
