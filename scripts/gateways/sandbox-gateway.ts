import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { SandboxOptions } from '../../src/sandbox/index.ts';
import { startSandbox } from '../../src/sandbox/index.ts';
import { configureOver } from './configure.ts';
import type { Address, Gateway } from './gateway.ts';
import { pluginServersIn, startProbes } from './plugins.ts';

/** The sandbox in this process. Its Admin API has no database unless `database` says so. */
export async function sandboxGateway(options: SandboxOptions = {}): Promise<Gateway> {
  const prefix = await mkdtemp(path.join(tmpdir(), 'kong-ts-gateway-'));
  const probes = await startProbes(prefix);
  const sandbox = await startSandbox({
    prefix,
    proxyListen: '127.0.0.1:0, 127.0.0.1:0 ssl',
    adminListen: '127.0.0.1:0',
    streamListen: '127.0.0.1:0',
    database: 'off',
    log: () => undefined,
    ...options,
    pluginServers: [...pluginServersIn(prefix), ...(options.pluginServers ?? [])],
  });
  const proxy = addressOf(sandbox.proxyUrl);
  const adminUrl = sandbox.adminUrl ?? '';
  const [streamPort = 0] = sandbox.streamPorts;
  const here = { name: '127.0.0.1', listen: '127.0.0.1' };
  return {
    name: 'sandbox',
    proxy,
    proxyTls: addressOf(sandbox.proxyTlsUrl),
    stream: { host: '127.0.0.1', port: streamPort, kongPort: streamPort },
    adminUrl,
    here,
    probes,
    configure: (config) => configureOver(adminUrl, proxy, here.name, config),
    close: async () => {
      // Requests that wait for a probe end with it: the sandbox waits for them.
      await Promise.all(Object.values(probes).map((probe) => probe.close()));
      await sandbox.close();
      await rm(prefix, { recursive: true, force: true });
    },
  };
}

export function addressOf(url: string | null): Address {
  const { hostname, port, protocol } = new URL(url ?? '');
  const usual = protocol === 'https:' ? 443 : 80;
  return { host: hostname, port: port === '' ? usual : Number(port) };
}
