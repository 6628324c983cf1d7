import { mkdir } from 'node:fs/promises';
import { configureOver } from './configure.ts';
import type { Gateway } from './gateway.ts';
import { startProbes } from './plugins.ts';
import { addressOf } from './sandbox-gateway.ts';

export interface RunningKong {
  readonly proxyUrl: string;
  readonly proxyTlsUrl: string | null;
  readonly adminUrl: string;
  /** `HOST:PORT` of a TCP stream listener. */
  readonly stream: string | null;
  /** Folder for the probes' sockets and dumps; Kong's settings name it (`probes` prints them). */
  readonly probes: string;
  /** How Kong reaches servers of this machine. Default 127.0.0.1. */
  readonly here: string;
}

/** A Kong that runs already, without a database, on this machine, and was started with the settings of the probes. */
export async function addressGateway(kong: RunningKong): Promise<Gateway> {
  await mkdir(kong.probes, { recursive: true });
  const probes = await startProbes(kong.probes);
  const proxy = addressOf(kong.proxyUrl);
  const stream = kong.stream === null ? null : addressOf(`tcp://${kong.stream}`);
  return {
    name: kong.proxyUrl,
    proxy,
    proxyTls: kong.proxyTlsUrl === null ? null : addressOf(kong.proxyTlsUrl),
    stream: stream === null ? null : { ...stream, kongPort: stream.port },
    adminUrl: kong.adminUrl,
    here: { name: kong.here, listen: kong.here === '127.0.0.1' ? '127.0.0.1' : '0.0.0.0' },
    probes,
    configure: (config) => configureOver(kong.adminUrl, proxy, kong.here, config),
    close: async () => {
      await Promise.all(Object.values(probes).map((probe) => probe.close()));
    },
  };
}
