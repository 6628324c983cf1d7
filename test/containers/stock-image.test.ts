import { execFileSync, spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StartedKongContainer } from '../../src/testing/containers/index.ts';
import { KongContainer } from '../../src/testing/containers/index.ts';
import { image, plugin, sandbox } from './support/kong.ts';
import { watch } from './support/watched.ts';
import { once } from './support/load.ts';

/** An image that does not say that it has kong-ts, as Kong's stock one: this machine's Node and kong-ts are mounted. */
const stock = sandbox ? 'kong-ts-test-stock' : image;
const canBuild = spawnSync('docker', ['version'], { stdio: 'ignore' }).status === 0;

describe.skipIf(sandbox && !canBuild)(
  `an image without kong-ts${sandbox && !canBuild ? ' (skipped: there is no docker command to make one)' : ''}`,
  () => {
    let kong: StartedKongContainer;

    beforeAll(async () => {
      if (sandbox)
        execFileSync('docker', ['build', '-q', '-t', stock, '-'], {
          input: `FROM ${image}\nLABEL io.kong-ts.runtime=\n`,
          env: { ...process.env, DOCKER_BUILDKIT: '0' },
          stdio: ['pipe', 'ignore', 'pipe'],
        });
      kong = watch(
        await new KongContainer({
          image: stock,
          pull: 'never',
          plugins: [plugin('mark-protobuf')],
          declarativeConfig: {
            _format_version: '3.0',
            services: [
              {
                name: 's',
                url: 'http://127.0.0.1:8001/status',
                routes: [{ name: 'r', paths: ['/r'] }],
                plugins: [{ name: 'mark-protobuf', config: { value: 'mounted' } }],
              },
            ],
          },
        }).start(),
      );
    });

    afterAll(async () => {
      await kong?.stop();
    });

    test('runs plugins with the Node and kong-ts of this machine', async () => {
      expect(await kong.exec(['sh', '-c', 'cat /proc/[0-9]*/cmdline 2>/dev/null; true'])).toContain(
        '/usr/local/lib/kong-ts-host',
      );
      expect(await once(`${kong.proxyUrl}/r`, 'x-mark')).toEqual({ status: 200, mark: 'mounted GET' });
    });
  },
);
