import type { StartedTestContainer } from 'testcontainers';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { HostPluginServer } from '../../../../src/testing/containers/host-server.ts';
import { LogBook } from '../../../../src/testing/containers/log-book.ts';
import type { KongContainerOptions } from '../../../../src/testing/containers/options.ts';
import type { Database } from '../../../../src/testing/containers/postgres.ts';
import { StartedKongContainer } from '../../../../src/testing/containers/started.ts';
import { startMemoryAdmin } from './memory-admin.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

/** A started Kong whose container only writes down what it is asked to do. */
function started(options: KongContainerOptions, { fail = false, database = false, port = 0 } = {}) {
  const done: string[] = [];
  const note = (what: string) => async () => {
    done.push(what);
  };
  vi.stubGlobal('fetch', async (url: string, init?: RequestInit) => {
    if (url.endsWith('/config')) done.push(`${init?.method ?? 'GET'} ${new URL(url).pathname}`);
    return new Response('{}');
  });
  const container = {
    getHost: () => '127.0.0.1',
    getMappedPort: () => port,
    copyContentToContainer: note('copy'),
    exec: async (command: string[]) => {
      done.push(command.slice(0, 3).join(' '));
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
    const { kong, done } = started({ declarativeConfig: {} });
    await kong.reload({});
    expect(done).toEqual(['copy', 'kong reload']);
  });

  test('without a configuration at the start it is sent', async () => {
    const { kong, done } = started({});
    await kong.reload({});
    expect(done).toEqual(['kong reload', 'POST /config']);
  });

  test('with a file of the user, too', async () => {
    const { kong, done } = started({
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
    const admin = await startMemoryAdmin();
    try {
      const port = Number(new URL(admin.url).port);
      const { kong, done } = started({ ...options, declarativeConfig: {} }, { database: true, port });
      await kong.reload({ _format_version: '3.0', services: [{ name: 's', host: 'h' }] });
      expect(admin.writes).toHaveLength(1);
      expect(admin.writes[0]).toMatch(/^PUT \/services\//);
      expect(done).toEqual(['kong reload']);
    } finally {
      await admin.close();
    }
  });

  test('without one nothing changes', async () => {
    const { kong, done } = started({});
    await kong.reload();
    expect(done).toEqual(['kong reload']);
  });
});

test('a container that does not stop keeps neither the server nor the database', async () => {
  const { kong, done } = started({}, { fail: true, database: true });
  await expect(kong.stop()).rejects.toThrow('The engine is gone.');
  expect(done).toEqual(['container', 'host', 'database']);
});
