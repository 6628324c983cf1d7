import type { SecureContext, TLSSocket } from 'node:tls';
import type { Certificates } from './certificates.ts';
import type { ConfigState } from './config-state.ts';
import { Exchange, plainIp } from '../../kong-end/index.ts';
import type { NodeState, TlsInfo } from '../../kong-end/index.ts';
import { runGlobals } from './phases.ts';

export interface TlsSide {
  readonly node: NodeState;
  readonly config: ConfigState;
  readonly certificates: Certificates;
}

type Address = {
  remoteAddress?: string | undefined;
  remotePort?: number | undefined;
  localPort?: number | undefined;
};

/** Runs the certificate phase of global plugins; false when one of them refused the connection. */
async function certificatePhase(
  side: TlsSide,
  subsystem: 'http' | 'stream',
  address: Address,
  serverName: string | null,
): Promise<boolean> {
  const tls: TlsInfo = { version: 'TLSv1.3', cipher: '', sni: serverName, clientCertificate: null };
  const from = { ip: plainIp(address.remoteAddress), port: address.remotePort ?? 0 };
  const exchange = new Exchange(side.node, subsystem, from, address.localPort ?? 0, 0, tls);
  await runGlobals('certificate', exchange, side.config.table);
  return exchange.aborted === null;
}

/** The SNICallback of a TLS listener: certificate phase, then the certificate for the name. */
export function sniCallback(side: TlsSide, subsystem: 'http' | 'stream', port: () => number) {
  return (serverName: string, done: (error: Error | null, context?: SecureContext) => void): void => {
    certificatePhase(side, subsystem, { localPort: port() }, serverName).then(
      (accepted) => {
        if (accepted) done(null, side.certificates.contextFor(serverName, side.config.snapshot));
        else done(new Error('a plugin ended the certificate phase'));
      },
      (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
    );
  };
}

/** A client without SNI meets the certificate phase after the handshake; false when it was refused. */
export async function checkWithoutSni(
  side: TlsSide,
  subsystem: 'http' | 'stream',
  socket: TLSSocket,
): Promise<boolean> {
  if (serverNameOf(socket) !== null) return true;
  return certificatePhase(side, subsystem, socket, null);
}

function serverNameOf(socket: TLSSocket): string | null {
  const name = (socket as { servername?: unknown }).servername;
  return typeof name === 'string' && name !== '' ? name : null;
}

/** Version, cipher and server name of an established connection. */
export function tlsInfoOf(socket: TLSSocket): TlsInfo {
  return {
    version: socket.getProtocol() ?? 'TLSv1.3',
    cipher: socket.getCipher().name,
    sni: serverNameOf(socket),
    clientCertificate: null,
  };
}
