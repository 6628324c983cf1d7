import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StartedKongContainer } from '../../src/testing/containers/index.ts';
import { engine } from '../../src/testing/containers/testcontainers.ts';
import { image, sandbox, startKong } from './support/kong.ts';

/** What the image itself promises: Kong's commands and manners, no root, no writing outside Kong's prefix. */
describe(`image ${image}`, () => {
  let kong: StartedKongContainer;

  beforeAll(async () => {
    kong = await startKong({ declarativeConfig: '_format_version: "3.0"\n' });
  });

  afterAll(async () => {
    await kong?.stop();
  });

  test('kong health, kong version', async () => {
    expect(await kong.exec(['kong', 'health'])).toMatch(/Kong is healthy at \/\S+/);
    expect(await kong.exec(['kong', 'version'])).toMatch(/^(?:Kong )?\d+\.\d+/);
  });

  test('runs as another user than root', async () => {
    expect((await kong.exec(['id', '-u'])).trim()).not.toBe('0');
  });

  test('answers as Kong does where there is no route', async () => {
    const answer = await fetch(`${kong.proxyUrl}/nowhere`);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ message: 'no Route matched with those values' });
  });

  test('the Admin API without a database reads, and takes a whole configuration', async () => {
    const refused = await fetch(`${kong.adminUrl}/services`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ url: 'http://example.test' }),
    });
    expect(refused.status).toBe(405);
    await kong.configure({
      _format_version: '3.0',
      services: [{ name: 'from-config', url: 'http://example.test' }],
    });
    const services = await fetch(`${kong.adminUrl}/services`);
    expect(await services.json()).toMatchObject({ data: [{ name: 'from-config' }] });
  });

  test('a configuration that is wrong is refused with the reason', async () => {
    await expect(
      kong.configure({
        _format_version: '3.0',
        services: [{ name: 'x', url: 'http://a.test', retries: 'no' }],
      }),
    ).rejects.toMatchObject({ code: 'ADMIN_REFUSED', message: expect.stringContaining('retries') as string });
  });

  test('a root file system that cannot be written to is enough', async () => {
    const { dockerode } = (await engine()).container;
    const container = await dockerode.createContainer({
      Image: image,
      // Another prefix than /usr/local/kong: in Kong's image its libraries lie below that one.
      Env: ['KONG_DATABASE=off', 'KONG_PREFIX=/run/kong'],
      HostConfig: {
        ReadonlyRootfs: true,
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges'],
        Tmpfs: { '/tmp': 'mode=1777', '/run/kong': 'mode=1777' },
      },
    });
    try {
      await container.start();
      const healthy = async (): Promise<number | null> => {
        const exec = await container.exec({ Cmd: ['kong', 'health'], AttachStdout: true });
        const stream = await exec.start({});
        await new Promise((resolve) => stream.on('end', resolve).resume());
        return (await exec.inspect()).ExitCode;
      };
      await expect.poll(healthy, { timeout: 30_000, interval: 300 }).toBe(0);
    } finally {
      await container.remove({ force: true, v: true });
    }
  });

  test.runIf(sandbox)('what the sandbox has no command for, it says', async () => {
    await expect(kong.exec(['kong', 'hybrid', 'gen_cert'])).rejects.toMatchObject({
      message: expect.stringContaining('the sandbox has no command "kong hybrid"') as string,
    });
  });
});
