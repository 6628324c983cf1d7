import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../../src/base/clock.ts';
import { SqliteSnapshots } from '../../../../src/kong-watch/watcher/snapshot/sqlite.ts';
import { KongAdmin } from '../../../../src/kong-admin/client.ts';
import { temporaryFolder, watched } from './support.ts';

const paths = {
  '/services': 'services',
  '/services/{services}/routes': 'routes',
  '/routes': 'routes',
  '/consumers': 'consumers',
  '/consumers/{consumers}/key-auth': 'keyauth_credentials',
  '/key-auths': 'keyauth_credentials',
};

describe('when a kind is looked at', () => {
  it('DB-less: a kind with a longer interval hears of a configuration that others have seen before', async () => {
    const all = await watched(paths);
    all.kong.configurationHash = 'a';
    const one = all.watcher({ intervals: { consumers: 30_000 } });
    await one.pollNow();
    all.kong.configurationHash = 'b';
    all.kong.put('/consumers', { id: 'c1' });
    for (let seconds = 0; seconds < 40; seconds += 5) {
      all.clock.skip(5000);
      await one.pollNow();
    }
    expect(all.told()).toEqual(['consumers create c1']);
  });

  it('nothing is asked while nothing is due', async () => {
    const all = await watched(paths);
    const one = all.watcher({ intervalMs: 30_000 });
    await one.pollNow();
    all.kong.requests.length = 0;
    all.clock.skip(5000);
    await one.pollNow();
    expect(all.kong.requests).toEqual([]);
  });

  it('a kind that fails by itself does not keep the others from being looked at', async () => {
    const all = await watched(paths);
    const one = all.watcher();
    await one.pollNow();
    all.kong.fault = (request) => (request.startsWith('GET /consumers?') ? { status: 500 } : null);
    all.kong.put('/services', { id: 's1' });
    all.clock.skip(5000);
    await one.pollNow();
    all.kong.put('/routes', { id: 'r1' });
    all.clock.skip(5000);
    await one.pollNow();
    expect(all.told()).toEqual(['services create s1', 'routes create r1']);
    all.kong.fault = () => null;
    all.clock.skip(60_000);
    await one.pollNow();
    expect(all.log).toEqual([
      'consumers cannot be listed and is not watched until it can',
      'consumers can be listed again',
    ]);
  });

  it('writes about what nobody listens to cost nothing and are not kept', async () => {
    const all = await watched(paths, (source, event) => source === 'crud' && event === 'consumers');
    const one = all.watcher();
    await one.pollNow();
    all.kong.requests.length = 0;
    await one.lookNow({ method: 'POST', path: '/services' });
    await one.lookNow({ method: 'POST', path: '/schemas/consumers/validate' });
    await one.pollNow();
    expect(all.kong.requests).toEqual([]);
  });

  it('a write before the kinds are known is looked at: Kong was down', async () => {
    const all = await watched(paths);
    const one = all.watcher({ clock: systemClock, intervalMs: 60_000 });
    all.kong.fault = () => ({ status: 503 });
    await one.pollNow();
    all.kong.fault = () => null;
    await one.lookNow({ method: 'POST', path: '/consumers' });
    expect(all.kong.requests.some((line) => line.startsWith('GET /consumers?'))).toBe(true);
  });

  it('a look that is asked for during a round follows it', async () => {
    const all = await watched(paths);
    const one = all.watcher({ clock: systemClock, intervalMs: 60_000 });
    await one.pollNow();
    // The kind has been read when the write comes.
    let wrote: Promise<void> | undefined;
    all.kong.fault = (request) => {
      if (wrote === undefined && request.startsWith('GET /key-auths?')) {
        all.kong.put('/consumers', { id: 'c1' });
        wrote = one.lookNow({ method: 'POST', path: '/consumers' });
      }
      return null;
    };
    await one.lookNow({ method: 'POST', path: '/consumers/c0/key-auth' });
    await wrote;
    expect(all.told()).toEqual(['consumers create c1']);
  });

  it('a look that is asked for while the node is asked for its state is not lost', async () => {
    const all = await watched(paths);
    const one = all.watcher({ clock: systemClock, intervalMs: 60_000 });
    await one.pollNow();
    let wrote: Promise<void> | undefined;
    all.kong.fault = (request) => {
      if (wrote === undefined && request === 'GET /status') {
        all.kong.put('/consumers', { id: 'c1' });
        wrote = one.lookNow({ method: 'POST', path: '/consumers' });
      }
      return null;
    };
    await one.lookNow({ method: 'POST', path: '/services' });
    await wrote;
    expect(all.told()).toEqual(['consumers create c1']);
  });

  it('a look that was asked for and failed is made up for', async () => {
    const all = await watched(paths);
    const one = all.watcher({ intervals: { consumers: 3_600_000 } });
    await one.pollNow();
    all.kong.put('/consumers', { id: 'c1' });
    all.kong.databaseReachable = false;
    void one.lookNow({ method: 'POST', path: '/consumers' });
    await one.pollNow();
    all.kong.databaseReachable = true;
    all.clock.skip(5000);
    await one.pollNow();
    expect(all.told()).toEqual(['consumers create c1']);
  });

  it('Retry-After is kept, however long it is', async () => {
    const all = await watched(paths);
    const waits: number[] = [];
    const clock = { ...systemClock, setTimeout: (_: () => void, ms: number) => waits.push(ms) };
    const one = all.watcher({ clock });
    all.kong.fault = () => ({ status: 429, headers: { 'retry-after': '120' } });
    await one.pollNow();
    expect(waits.at(-1)).toBe(120_000);
    void one.lookNow();
    expect(waits.at(-1)).toBeGreaterThan(119_000);
  });

  it('a clock that was set forward and back again does not stop the watch', async () => {
    const all = await watched(paths);
    const one = all.watcher();
    all.clock.skip(365 * 86_400_000);
    await one.pollNow();
    all.clock.skip(-365 * 86_400_000);
    all.kong.put('/consumers', { id: 'c1' });
    await one.pollNow();
    expect(all.told()).toEqual(['consumers create c1']);
  });
});

it('DB-less: a configuration whose events could not be stored is looked at again', async () => {
  const all = await watched(paths);
  let full = false;
  const one = all.watcher({
    emit: (events) => {
      if (full) return Promise.reject(new Error('disk full'));
      all.emitted.push(...events);
      return Promise.resolve();
    },
  });
  all.kong.configurationHash = 'a';
  await one.pollNow();
  all.kong.configurationHash = 'b';
  all.kong.put('/consumers', { id: 'c1' });
  full = true;
  all.clock.skip(5000);
  await one.pollNow();
  full = false;
  all.clock.skip(60_000);
  await one.pollNow();
  expect(all.told()).toEqual(['consumers create c1']);
});

describe('order over several lists', () => {
  it('a credential that was seen before its consumer waits for it', async () => {
    const all = await watched(paths);
    const one = all.watcher();
    await one.pollNow();
    // Both are made between the two lists.
    all.kong.fault = (request) => {
      if (request.startsWith('GET /key-auths?') && !all.kong.collections.get('/consumers')?.has('c1')) {
        all.kong.put('/consumers', { id: 'c1' });
        all.kong.put('/key-auths', { id: 'k1', consumer: { id: 'c1' } });
      }
      return null;
    };
    all.clock.skip(5000);
    await one.pollNow();
    await one.pollNow();
    expect(all.told()).toEqual(['consumers create c1', 'keyauth_credentials create k1']);
  });

  it('a credential whose consumer never shows up is told all the same', async () => {
    const all = await watched(paths);
    const one = all.watcher();
    await one.pollNow();
    all.kong.put('/key-auths', { id: 'k1', consumer: { id: 'nobody' } });
    all.clock.skip(5000);
    await one.pollNow();
    await one.pollNow();
    expect(all.told()).toEqual(['keyauth_credentials create k1']);
  });

  it('what belongs to a deleted entity is looked at with it, whatever its own interval', async () => {
    const all = await watched(paths);
    all.kong.put('/consumers', { id: 'c1' });
    all.kong.put('/key-auths', { id: 'k1', consumer: { id: 'c1' } });
    const one = all.watcher({ intervals: { keyauth_credentials: 3_600_000 } });
    await one.pollNow();
    all.kong.remove('/consumers', 'c1');
    all.kong.remove('/key-auths', 'k1');
    all.clock.skip(5000);
    await one.pollNow();
    expect(all.told()).toEqual(['keyauth_credentials delete k1', 'consumers delete c1']);
  });
});

it('5,000 entities: looked at page by page, and all of them gone at once', async () => {
  const all = await watched(paths, (source, event) => source === 'crud' && event === 'consumers');
  const snapshots = new SqliteSnapshots(join(temporaryFolder(), 'snapshot.db'));
  const one = all.watcher({ snapshots });
  for (let n = 0; n < 5000; n += 1) {
    all.kong.put('/consumers', { id: `c${String(n).padStart(5, '0')}`, username: `name-${String(n)}` });
  }
  await one.pollNow();
  all.kong.requests.length = 0;
  all.clock.skip(5000);
  await one.pollNow();
  expect(all.kong.requests).toHaveLength(6);
  expect(all.told()).toEqual([]);
  all.kong.collections.get('/consumers')?.clear();
  all.kong.requests.length = 0;
  all.clock.skip(5000);
  await one.pollNow();
  // A second listing says so, not five thousand questions.
  expect(all.kong.requests).toHaveLength(4);
  expect(new Set(all.told()).size).toBe(5000);
});

it('what is kept on disk holds no secrets either, and a secret that changes is a change', async () => {
  const all = await watched(paths);
  const folder = temporaryFolder();
  const snapshots = new SqliteSnapshots(join(folder, 'snapshot.db'));
  const one = all.watcher({ snapshots });
  all.kong.put('/key-auths', { id: 'k1', key: 'topsecret-1' });
  await one.pollNow();
  all.kong.put('/key-auths', { id: 'k1', key: 'topsecret-2' });
  all.kong.put('/key-auths', { id: 'k2', key: 'topsecret-3' });
  all.clock.skip(5000);
  await one.pollNow();
  await one.close();
  await snapshots.close();
  expect(all.told()).toEqual(['keyauth_credentials update k1', 'keyauth_credentials create k2']);
  const bytes = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'latin1'));
  expect(bytes.join()).toContain('k2');
  expect(bytes.join()).not.toContain('topsecret');
});

describe('the end of a watch', () => {
  it('closing does not wait for a Kong that does not answer, and says nothing', async () => {
    const all = await watched(paths);
    const abort = new AbortController();
    const one = all.watcher({ admin: new KongAdmin({ url: all.kong.url, signal: abort.signal }) });
    all.kong.fault = () => 'hang';
    const round = one.pollNow();
    const closed = one.close();
    abort.abort();
    await closed;
    await round;
    expect(all.log).toEqual([]);
  });

  it('a process that has lost the right to watch meanwhile reports nothing', async () => {
    const all = await watched(paths);
    let holder = true;
    const one = all.watcher({ mayReport: () => holder });
    await one.pollNow();
    all.kong.put('/consumers', { id: 'c1' });
    all.kong.fault = (request) => {
      if (request.startsWith('GET /routes?')) holder = false;
      return null;
    };
    all.clock.skip(5000);
    await one.pollNow();
    expect(all.told()).toEqual([]);
    expect(all.log).toEqual([]);
    // It has it again, before it was closed.
    holder = true;
    all.kong.fault = () => null;
    await one.pollNow();
    expect(all.told()).toEqual(['consumers create c1']);
  });

  it('a first look that breaks off leaves nothing behind: it begins anew', async () => {
    const all = await watched(paths);
    const file = join(temporaryFolder(), 'snapshot.db');
    for (let n = 0; n < 5; n += 1) all.kong.put('/consumers', { id: `c${String(n)}` });
    all.kong.fault = (request) =>
      request.includes('/consumers?') && request.includes('offset') ? { status: 500 } : null;
    const first = all.watcher({ snapshots: new SqliteSnapshots(file), pageSize: 2 });
    await first.pollNow();
    await first.close();
    all.kong.fault = () => null;
    const second = all.watcher({ snapshots: new SqliteSnapshots(file), pageSize: 2 });
    await second.pollNow();
    expect(all.told()).toEqual([]);
    all.kong.put('/consumers', { id: 'c9' });
    all.clock.skip(60_000);
    await second.pollNow();
    expect(all.told()).toEqual(['consumers create c9']);
  });

  it('events that were stored before an error are not made again', async () => {
    const all = await watched(paths);
    const one = all.watcher({
      emit: (events) => {
        if (all.emitted.length >= 500) return Promise.reject(new Error('disk full'));
        all.emitted.push(...events);
        return Promise.resolve();
      },
    });
    await one.pollNow();
    for (let n = 0; n < 700; n += 1) all.kong.put('/consumers', { id: `c${String(n)}` });
    all.clock.skip(5000);
    await one.pollNow();
    expect(all.emitted).toHaveLength(500);
    const second = all.emitted.splice(0);
    all.clock.skip(60_000);
    await one.pollNow();
    expect(all.emitted).toHaveLength(200);
    expect(new Set([...second, ...all.emitted].map((event) => event.id)).size).toBe(700);
  });
});
