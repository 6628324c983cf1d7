import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StartedTestContainer } from 'testcontainers';
import { GenericContainer, Wait } from 'testcontainers';
import type { StartedKongContainer } from '../../src/testing/containers/index.ts';
import { KongContainer } from '../../src/testing/containers/index.ts';
import { sandbox } from './support/kong.ts';
import type { Recorder } from './support/recorder.ts';
import { startRecorder } from './support/recorder.ts';
import { watch } from './support/watched.ts';
import { build, buildStandIn } from './support/stand-in.ts';

const standIn = 'kong-ts-test-stand-in';
const images = {
  kong: 'kong-ts-test-kong',
  sidecar: 'kong-ts-test-sidecar',
  sandbox: 'kong-ts-test-sandbox',
};
const canBuild = spawnSync('docker', ['version'], { stdio: 'ignore' }).status === 0;
const skipped = !sandbox || !canBuild;

/** The Dockerfiles, built on images that stand for Node's and Kong's: all of their lines but npm's work. */
describe.skipIf(skipped)(
  `Dockerfiles${skipped ? ' (skipped: built on stand-ins where the sandbox stands for Kong and there is a docker command)' : ''}`,
  () => {
    let machine: Recorder;
    const cleanUps: (() => Promise<unknown>)[] = [];

    beforeAll(async () => {
      machine = await startRecorder();
      buildStandIn(standIn, 'kong-ts-sandbox');
    });

    afterAll(async () => {
      for (const cleanUp of cleanUps.reverse()) await cleanUp();
      await machine?.close();
    });

    const config = {
      _format_version: '3.0',
      services: [
        {
          name: 's',
          url: 'http://host.docker.internal:80',
          routes: [{ name: 'r', paths: ['/'] }],
        },
      ],
    };
    const logging = (endpoint: string): object => ({
      ...config,
      plugins: [{ name: 'http-log-enterprise', config: { http_endpoint: endpoint } }],
    });

    test('Dockerfile: Kong with the plugin server inside, from its environment alone', async () => {
      build('Dockerfile', images.kong, { NODE_IMAGE: standIn, KONG_IMAGE: standIn });
      const kong = watch(
        await new KongContainer({
          image: images.kong,
          pull: 'never',
          declarativeConfig: logging(`http://host.docker.internal:${String(machine.port)}/inside`),
        }).start(),
      );
      cleanUps.push(() => kong.stop());
      await logged(kong, '/inside');
    });

    test('sidecar.Dockerfile: a stock Kong beside it, meeting on a volume', async () => {
      build('sidecar.Dockerfile', images.sidecar, { NODE_IMAGE: standIn });
      const folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-volume-'));
      cleanUps.push(async () => rmSync(folder, { recursive: true, force: true }));
      execFileSync('chmod', ['777', folder]);
      const mount = { source: folder, target: '/run/kong-ts' };
      const sidecar: StartedTestContainer = await new GenericContainer(images.sidecar)
        .withBindMounts([mount])
        .withExtraHosts([{ host: 'host.docker.internal', ipAddress: 'host-gateway' }])
        .withWaitStrategy(Wait.forHealthCheck())
        .start();
      cleanUps.push(() => sidecar.stop());
      const kong = watch(
        await new KongContainer({
          pull: 'never',
          image: 'kong-ts-sandbox',
          declarativeConfig: logging(`http://host.docker.internal:${String(machine.port)}/sidecar`),
          environment: {
            KONG_PLUGINS: 'bundled,http-log-enterprise',
            KONG_PLUGINSERVER_NAMES: 'http-log-enterprise',
            KONG_PLUGINSERVER_HTTP_LOG_ENTERPRISE_SOCKET: '/run/kong-ts/kong-ts.socket',
            KONG_PLUGINSERVER_HTTP_LOG_ENTERPRISE_QUERY_CMD: 'cat /run/kong-ts/http-log-enterprise.json',
          },
          configure: (container) => container.withBindMounts([mount]),
        }).start(),
      );
      cleanUps.push(() => kong.stop());
      await logged(kong, '/sidecar');
      // Kong's user need not be the sidecar's: it connects and reads the dump, and nothing else is for it.
      const modes = new Map(
        readdirSync(folder).map((name) => [name, statSync(path.join(folder, name)).mode & 0o777]),
      );
      expect(modes.get('kong-ts.socket')).toBe(0o666);
      expect(modes.get('http-log-enterprise.json')).toBe(0o644);
      expect(modes.get('kong-ts.socket.instances')).toBe(0o600);
      for (const [name, mode] of modes)
        if (!/\.socket$|\.json$/.test(name)) expect([name, mode & 0o007]).toEqual([name, 0]);
      const { output } = await sidecar.exec(['ls', '-ld', '/var/lib/kong-ts']);
      expect(output).toMatch(/^drwx------/);
    });

    test('sandbox.Dockerfile: Kong and its commands', async () => {
      build('sandbox.Dockerfile', images.sandbox, { NODE_IMAGE: standIn });
      const said = execFileSync('docker', ['run', '--rm', images.sandbox, 'kong', 'version'], {
        encoding: 'utf8',
      });
      expect(said).toMatch(/^3\.9\.\d+ \(kong-ts sandbox/);
    });

    async function logged(kong: StartedKongContainer, url: string): Promise<void> {
      await expect
        .poll(
          async () => {
            await fetch(kong.proxyUrl);
            return machine.received.some((request) => request.url === url);
          },
          { timeout: 30_000, interval: 300 },
        )
        .toBe(true);
    }
  },
);
