import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SqliteSnapshots } from '../../../../src/kong-watch/watcher/snapshot/sqlite.ts';
import type { Watched } from './support.ts';
import { temporaryFolder, watched } from './support.ts';

const paths = {
  '/services': 'services',
  '/services/{services}/routes': 'routes',
  '/routes': 'routes',
  '/consumers': 'consumers',
};

async function withRoute(): Promise<Watched> {
  const all = await watched(paths);
  all.kong.put('/services', { id: 's1', name: 'one' });
  all.kong.put('/routes', { id: 'r1', service: { id: 's1' } });
  return all;
}

describe('a deletion that is not the whole story yet', () => {
  it.each([503, 500])('waits for what belonged to it: routes answer with %i', async (status) => {
    const all = await withRoute();
    const one = all.watcher();
    await one.pollNow();
    all.kong.remove('/services', 's1');
    all.kong.remove('/routes', 'r1');
    all.kong.put('/services', { id: 's2', name: 'one' });
    all.kong.put('/services', { id: 's3' });
    all.kong.fault = (request) => (request.startsWith('GET /routes?') ? { status } : null);
    all.clock.skip(5000);
    await one.pollNow();
    expect(all.told()).toEqual(['services create s3']);
    all.kong.fault = () => null;
    all.clock.skip(60_000);
    await one.pollNow();
    expect(all.told()).toEqual([
      'services create s3',
      'routes delete r1',
      'services delete s1',
      'services create s2',
    ]);
  });

  it('does not wait for what could not be read before either', async () => {
    const all = await withRoute();
    const one = all.watcher();
    all.kong.fault = (request) => (request.startsWith('GET /routes?') ? { status: 403 } : null);
    await one.pollNow();
    all.kong.remove('/services', 's1');
    all.clock.skip(5000);
    await one.pollNow();
    expect(all.told()).toEqual(['services delete s1']);
  });

  it('DB-less: is none when the node has restarted empty while it was asked', async () => {
    const all = await withRoute();
    const one = all.watcher();
    all.kong.configurationHash = 'a';
    await one.pollNow();
    const routes = all.kong.collections.get('/routes') ?? new Map<string, { id: string }>();
    all.kong.configurationHash = 'b';
    all.kong.fault = (request) => {
      if (request.startsWith('GET /routes?')) {
        all.kong.configurationHash = '0'.repeat(32);
        all.kong.collections.set('/routes', new Map());
      }
      return null;
    };
    all.clock.skip(5000);
    await one.pollNow();
    all.kong.fault = () => null;
    all.kong.configurationHash = 'c';
    all.kong.collections.set('/routes', routes);
    all.clock.skip(5000);
    await one.pollNow();
    expect(all.told()).toEqual([]);
  });

  it('DB-less: neither is the emptiness of a node that restarts the beginning', async () => {
    const all = await withRoute();
    const one = all.watcher();
    const routes = all.kong.collections.get('/routes') ?? new Map<string, { id: string }>();
    all.kong.configurationHash = 'a';
    all.kong.fault = (request) => {
      if (request.startsWith('GET /routes?')) {
        all.kong.configurationHash = '0'.repeat(32);
        all.kong.collections.set('/routes', new Map());
      }
      return null;
    };
    await one.pollNow();
    all.kong.fault = () => null;
    all.kong.configurationHash = 'a';
    all.kong.collections.set('/routes', routes);
    all.clock.skip(5000);
    await one.pollNow();
    all.clock.skip(5000);
    await one.pollNow();
    expect(all.told()).toEqual([]);
  });
});

describe('a first look while another process takes over', () => {
  it('is not the beginning', async () => {
    const all = await withRoute();
    let holder = true;
    const snapshots = new SqliteSnapshots(join(temporaryFolder(), 'snapshot.db'));
    const one = all.watcher({ snapshots, mayReport: () => holder });
    all.kong.fault = (request) => {
      if (request.startsWith('GET /services?')) holder = false;
      return null;
    };
    await one.pollNow();
    expect(await snapshots.scopes()).toEqual(['consumers']);
  });

  it('does not count when the other one has tidied its rows away', async () => {
    const file = join(temporaryFolder(), 'snapshot.db');
    const snapshots = new SqliteSnapshots(file);
    const baseline = await snapshots.begin('services');
    await baseline.add([{ id: 's1', digest: 'd', text: '{}' }]);
    const other = new SqliteSnapshots(file);
    await baseline.add([{ id: 's2', digest: 'd', text: '{}' }]);
    await expect(baseline.commit(2)).rejects.toThrow(/another process/);
    expect(await snapshots.seen('services')).toBe(false);
    await other.close();
    await snapshots.close();
  });
});

it('each portion of events has a generation of its own', async () => {
  const all = await watched(paths);
  let full = true;
  const one = all.watcher({
    emit: (events) => {
      if (full && all.emitted.length >= 500) return Promise.reject(new Error('disk full'));
      all.emitted.push(...events);
      return Promise.resolve();
    },
  });
  await one.pollNow();
  for (let n = 0; n < 501; n += 1) all.kong.put('/consumers', { id: `c${String(n).padStart(3, '0')}` });
  all.clock.skip(5000);
  await one.pollNow();
  // Stored and remembered; gone and back again with the same content, it is another event.
  full = false;
  all.kong.remove('/consumers', 'c000');
  all.clock.skip(60_000);
  await one.pollNow();
  all.kong.put('/consumers', { id: 'c000' });
  all.clock.skip(60_000);
  await one.pollNow();
  const ids = all.emitted.map((event) => event.id);
  expect(ids).toHaveLength(503);
  expect(new Set(ids).size).toBe(503);
});
