import type { StartedTestContainer } from 'testcontainers';
import { afterEach, describe, expect, test } from 'vitest';
import type { HostPluginServer } from '../../../../src/testing/containers/host-server.ts';
import { LogBook } from '../../../../src/testing/containers/log-book.ts';
import type { KongContainerOptions } from '../../../../src/testing/containers/options.ts';
import type { Database } from '../../../../src/testing/containers/postgres.ts';
import { StartedKongContainer } from '../../../../src/testing/containers/started.ts';
import type { MemoryAdmin } from './memory-admin.ts';
import { startMemoryAdmin } from './memory-admin.ts';

const admins: MemoryAdmin[] = [];
afterEach(async () => {
  for (const admin of admins.splice(0)) await admin.close();
});

/** A started Kong whose container only writes down what it is asked to do. */
async function started(options: KongContainerOptions, { fail = false, database = false } = {}) {
  const done: string[] = [];
  const note = (what: string) => async () => {
    done.push(what);
  };
  const admin = await startMemoryAdmin((method, path) => {
    if (method !== 'GET') done.push(`${method} ${path.replace(/[0-9a-f-]{36}/, 'ID')}`);
    return null;
  });
  admins.push(admin);
  const container = {
    getHost: () => '127.0.0.1',
    getMappedPort: () => Number(new URL(admin.url).port),
    copyContentToContainer: note('copy'),
    exec: async ([command, word]: string[]) => {
      if (command === 'kong') done.push(`${command} ${String(word)}`);
      return { exitCode: 0, output: '' };
    },
    stop: async () => {
      done.push('container');
      if (fail) throw new Error('The engine is gone.');
    },
  } as unknown as StartedTestContainer;
  const host = { stop: note('host') } as unknown as HostPluginServer;
  const kong = new StartedKongContainer(
    {
      options,
      container,
      log: new LogBook(),
      host,
      inside: null,
      database: database ? ({ stop: note('database') } as unknown as Database) : null,
      timeout: 1000,
    },
    null,
  );
  return { kong, done };
}

describe('reload(config)', () => {
  test('Kong reads the file that was given at the start', async () => {
    const { kong, done } = await started({ declarativeConfig: {} });
    await kong.reload({});
    expect(done).toEqual(['copy', 'kong reload']);
  });

  test('without a configuration at the start it is sent', async () => {
    const { kong, done } = await started({});
    await kong.reload({});
    expect(done).toEqual(['kong reload', 'POST /config']);
  });

  test('with a file of the user, too', async () => {
    const { kong, done } = await started({
      declarativeConfig: {},
      environment: { KONG_DECLARATIVE_CONFIG: '/mine.yml' },
    });
    await kong.reload({});
    expect(done).toEqual(['kong reload', 'POST /config']);
  });

  test.each([
    ['a database', { postgres: true }],
    ["a database of the user's", { environment: { KONG_DATABASE: 'postgres' } }],
  ])('with %s its entities are put over the Admin API, before', async (_name, options) => {
    const { kong, done } = await started({ ...options, declarativeConfig: {} }, { database: true });
    await kong.reload({ _format_version: '3.0', services: [{ name: 's', host: 'h' }] });
    expect(done).toEqual(['PUT /services/ID', 'kong reload']);
  });

  test('without one nothing changes', async () => {
    const { kong, done } = await started({});
    await kong.reload();
    expect(done).toEqual(['kong reload']);
  });
});

test('a container that does not stop keeps neither the server nor the database', async () => {
  const { kong, done } = await started({}, { fail: true, database: true });
  await expect(kong.stop()).rejects.toThrow('The engine is gone.');
  expect(done).toEqual(['container', 'host', 'database']);
});
