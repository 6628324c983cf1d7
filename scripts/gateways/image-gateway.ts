import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { KongContainerOptions } from '../../src/testing/containers/index.ts';
import { hostName, KongContainer } from '../../src/testing/containers/index.ts';
import { configureOver } from './configure.ts';
import type { Gateway } from './gateway.ts';
import { probeEnvironment, startProbes } from './plugins.ts';
import { addressOf } from './sandbox-gateway.ts';

const shared = '/run/kong-ts-probes';
const streamPort = 9000;

/**
 * Kong from an image, on an engine of this machine: the probes run here, and Kong meets them in a folder that is
 * mounted.
 */
export async function imageGateway(image: string, options: KongContainerOptions = {}): Promise<Gateway> {
  const folder = await mkdtemp(path.join(tmpdir(), 'kong-ts-gateway-'));
  const probes = await startProbes(folder);
  const closeProbes = async (): Promise<void> => {
    await Promise.all(Object.values(probes).map((probe) => probe.close()));
    await rm(folder, { recursive: true, force: true });
  };
  const container = new KongContainer({
    image,
    workers: 1,
    streamPorts: [streamPort],
    ...options,
    environment: { ...probeEnvironment(shared), ...options.environment },
    configure: (generic) => {
      generic.withBindMounts([{ source: folder, target: shared, mode: 'rw' }]);
      options.configure?.(generic);
    },
  });
  try {
    const kong = await container.start();
    const proxy = addressOf(kong.proxyUrl);
    const stream = new URL(kong.streamUrl(streamPort));
    // Containers come in over the engine's bridge, whose address is not known before it is asked for.
    const here = { name: hostName, listen: '0.0.0.0' };
    return {
      name: image,
      proxy,
      proxyTls: addressOf(kong.proxyTlsUrl),
      stream: { host: stream.hostname, port: Number(stream.port), kongPort: streamPort },
      adminUrl: kong.adminUrl,
      here,
      probes,
      configure: (config) => configureOver(kong.adminUrl, proxy, here.name, config),
      close: async () => {
        await kong.stop();
        await closeProbes();
      },
    };
  } catch (error) {
    await closeProbes();
    throw error;
  }
}
