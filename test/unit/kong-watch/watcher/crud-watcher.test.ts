import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KongAdmin } from '../../../../src/kong-admin/client.ts';
import type { HookEvent } from '../../../../src/event-hooks/model/event.ts';
import { CrudWatcher } from '../../../../src/kong-watch/watcher/crud-watcher.ts';
import type { WatcherOptions } from '../../../../src/kong-watch/watcher/options.ts';
import { MemorySnapshots } from '../../../../src/kong-watch/watcher/snapshot/memory.ts';
import { SqliteSnapshots } from '../../../../src/kong-watch/watcher/snapshot/sqlite.ts';
import { FakeKongAdmin } from '../../../support/fake-kong-admin.ts';
import { ManualClock } from './manual-clock.ts';

const kinds = {
  '/services': 'services',
  '/routes': 'routes',
  '/consumers': 'consumers',
  '/key-auths': 'keyauth_credentials',
  '/plugins': 'plugins',
};

let kong: FakeKongAdmin;
let clock: ManualClock;
let emitted: HookEvent[];
let log: string[];
let listening: (source: string, event: string) => boolean;
let folder: string;
/** How long Kong is waited for. */
let patience: { timeoutMs: number };
const open: CrudWatcher[] = [];

beforeEach(async () => {
  kong = await FakeKongAdmin.start(kinds);
  clock = new ManualClock();
  emitted = [];
  log = [];
  listening = (source) => source === 'crud';
  patience = { timeoutMs: 20_000 };
  folder = mkdtempSync(join(tmpdir(), 'kong-ts-watcher-'));
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((watcher) => watcher.close()));
  await kong.close();
  rmSync(folder, { recursive: true, force: true });
});

function watcher(over: Partial<WatcherOptions> = {}): CrudWatcher {
  const say = (message: string): void => void log.push(message);
  const made = new CrudWatcher({
    admin: new KongAdmin(Object.assign(patience, { url: kong.url })),
    snapshots: new MemorySnapshots(),
    wants: (source, event) => listening(source, event),
    listens: (source) => listening(source, 'consumers') || listening(source, 'create'),
    publish: () => undefined,
    emit: (events) => {
      emitted.push(...events);
      return Promise.resolve();
    },
    clock,
    log: { info: say, notice: say, warn: say, error: say },
    ...over,
  });
  open.push(made);
  return made;
}

interface Data {
  operation: string;
  schema: string;
  entity: Record<string, unknown>;
  old_entity?: Record<string, unknown>;
}
const data = (event: HookEvent | undefined): Data => JSON.parse(event?.data ?? '{}') as Data;
const told = (): string[] =>
  emitted.map((event) => {
    const { operation, entity } = data(event);
    return `${event.event} ${operation} ${String(entity.id)}`;
  });
/** Lets the interval go by, then looks. */
async function next(one: CrudWatcher): Promise<void> {
  clock.skip(5000);
  await one.pollNow();
}

describe('what a change becomes', () => {
  it('the first look emits nothing; then create, update and delete once each, with what they were before', async () => {
    kong.put('/consumers', { id: 'c1', username: 'old' });
    const one = watcher();
    await one.pollNow();
    expect(emitted).toEqual([]);

    kong.put('/consumers', { id: 'c2', username: 'alice', created_at: 1 });
    await next(one);
    kong.put('/consumers', { id: 'c2', username: 'alice', custom_id: 'x', created_at: 1 });
    await next(one);
    await next(one);
    kong.remove('/consumers', 'c2');
    await next(one);
    await next(one);

    expect(told()).toEqual(['consumers create c2', 'consumers update c2', 'consumers delete c2']);
    expect(data(emitted[0])).toEqual({
      operation: 'create',
      entity: { id: 'c2', username: 'alice', created_at: 1 },
      schema: 'consumers',
    });
    expect(data(emitted[1]).old_entity).toEqual({ id: 'c2', username: 'alice', created_at: 1 });
    expect(data(emitted[2]).entity).toMatchObject({ username: 'alice', custom_id: 'x' });
    expect(new Set(emitted.map((event) => event.id)).size).toBe(3);
  });

  it('an entity with its keys in another order has not changed (Lua tables have none)', async () => {
    kong.put('/consumers', { id: 'c1', username: 'a', tags: null });
    const one = watcher();
    await one.pollNow();
    kong.put('/consumers', { tags: null, username: 'a', id: 'c1' });
    await next(one);
    expect(emitted).toEqual([]);
  });

  it('dao:crud is named after the operation, crud after the kind', async () => {
    listening = () => true;
    const one = watcher();
    await one.pollNow();
    kong.put('/key-auths', { id: 'k1', key: 'topsecret', consumer: { id: 'c1' } });
    await next(one);
    expect(emitted.map(({ source, event }) => [source, event])).toEqual([
      ['crud', 'keyauth_credentials'],
      ['dao:crud', 'create'],
    ]);
    expect(emitted[0]?.data).not.toContain('topsecret');
  });

  it('secrets are there when asked for', async () => {
    const one = watcher({ secrets: true });
    await one.pollNow();
    kong.put('/key-auths', { id: 'k1', key: 'topsecret' });
    await next(one);
    expect(data(emitted[0]).entity.key).toBe('topsecret');
  });

  it('a service comes before its route, and goes after it', async () => {
    const one = watcher();
    await one.pollNow();
    kong.put('/routes', { id: 'a-route', service: { id: 'z-service' }, created_at: 1 });
    kong.put('/services', { id: 'z-service', created_at: 2 });
    kong.put('/plugins', { id: 'a-plugin', route: { id: 'a-route' }, created_at: 0 });
    await next(one);
    expect(told()).toEqual(['services create z-service', 'routes create a-route', 'plugins create a-plugin']);
    emitted = [];
    kong.remove('/services', 'z-service');
    kong.remove('/routes', 'a-route');
    kong.remove('/plugins', 'a-plugin');
    await next(one);
    expect(told()).toEqual(['plugins delete a-plugin', 'routes delete a-route', 'services delete z-service']);
  });

  it('a name that is taken again was free before; a new id is a deletion and a creation', async () => {
    kong.put('/consumers', { id: 'c1', username: 'alice' });
    const one = watcher();
    await one.pollNow();
    kong.remove('/consumers', 'c1');
    kong.put('/consumers', { id: 'c2', username: 'alice' });
    await next(one);
    expect(told()).toEqual(['consumers delete c1', 'consumers create c2']);
  });
});

describe('workspaces', () => {
  it('hears of every workspace', async () => {
    kong.workspaces = ['default', 'team-a'];
    kong.collections.set('/default/consumers', new Map());
    kong.collections.set('/team-a/consumers', new Map());
    listening = (source, event) => source === 'crud' && event === 'consumers';
    const one = watcher();
    await one.pollNow();
    kong.put('/team-a/consumers', { id: 'c1', username: 'alice' });
    await next(one);
    expect(told()).toEqual(['consumers create c1']);
  });
});

describe('while the watcher is away', () => {
  it('what changed is emitted when it is back, and only that', async () => {
    const file = join(folder, 'snapshot.db');
    kong.put('/consumers', { id: 'c1', username: 'stays' });
    kong.put('/consumers', { id: 'c2', username: 'goes' });
    const first = watcher({ snapshots: new SqliteSnapshots(file) });
    await first.pollNow();
    await first.close();

    kong.remove('/consumers', 'c2');
    kong.put('/consumers', { id: 'c3', username: 'comes' });
    const second = watcher({ snapshots: new SqliteSnapshots(file) });
    await second.pollNow();
    expect(told().sort()).toEqual(['consumers create c3', 'consumers delete c2']);
    expect(data(emitted.find((event) => event.data.includes('delete'))).entity.username).toBe('goes');
  });

  it('a crash after the emit and before the snapshot makes the same events again, with the same ids', async () => {
    const snapshots = new SqliteSnapshots(join(folder, 'snapshot.db'));
    const one = watcher({ snapshots });
    await one.pollNow();
    kong.put('/consumers', { id: 'c1' });
    const remember = snapshots.remember.bind(snapshots);
    snapshots.remember = () => Promise.reject(new Error('killed'));
    await next(one);
    snapshots.remember = remember;
    await next(one);
    await next(one);
    expect(emitted).toHaveLength(2);
    expect(emitted[0]?.id).toBe(emitted[1]?.id);
  });

  it('events that could not be stored are emitted again', async () => {
    let fails = true;
    const one = watcher({
      emit: (events) => {
        if (fails) return Promise.reject(new Error('disk full'));
        emitted.push(...events);
        return Promise.resolve();
      },
    });
    await one.pollNow();
    kong.put('/consumers', { id: 'c1' });
    await next(one);
    fails = false;
    await next(one);
    await next(one);
    expect(told()).toEqual(['consumers create c1']);
  });

  it('a snapshot file that is none says which file and what to do', () => {
    const file = join(folder, 'broken.db');
    writeFileSync(
      file,
      'this is not a database, and long enough to be looked at as one by SQLite'.repeat(50),
    );
    expect(() => new SqliteSnapshots(file)).toThrow(/broken\.db.*remove the file/s);
  });
});

describe('an error is never a change', () => {
  const many = (): void => {
    for (let n = 0; n < 2500; n += 1) kong.put('/consumers', { id: `c${String(n).padStart(5, '0')}` });
  };

  it.each([
    ['a 500 on the second page', { status: 500 }],
    ['a 401', { status: 401 }],
    ['a 429', { status: 429, headers: { 'retry-after': '7' } }],
    ['a page that is not JSON', { status: 200, body: '<html>' }],
    ['a page without data', { status: 200, body: '{}' }],
    ['a reset connection', 'reset'],
    ['an answer that never comes', 'hang'],
  ] as const)('%s', async (_, fault) => {
    many();
    listening = (source, event) => source === 'crud' && event === 'consumers';
    const one = watcher();
    await one.pollNow();
    kong.fault = (request) => (request.includes('/consumers') && request.includes('offset=') ? fault : null);
    if (fault === 'hang') patience.timeoutMs = 100;
    await next(one);
    await next(one);
    expect(emitted).toEqual([]);
    expect(log).toHaveLength(1);

    kong.fault = () => null;
    patience.timeoutMs = 20_000;
    clock.skip(60_000);
    await one.pollNow();
    expect(emitted).toEqual([]);
    expect(log[1]).toContain('answers again');
  });

  it('a DB-less node without its configuration, and a node without its database, are not empty', async () => {
    kong.put('/consumers', { id: 'c1' });
    kong.configurationHash = 'aaaa';
    const one = watcher();
    await one.pollNow();
    kong.remove('/consumers', 'c1');
    kong.configurationHash = '0'.repeat(32);
    await next(one);
    kong.configurationHash = null;
    kong.databaseReachable = false;
    await next(one);
    expect(emitted).toEqual([]);
  });

  it('an entity that a page has skipped is asked for by its id before it counts as deleted', async () => {
    kong.put('/consumers', { id: 'c1' });
    const one = watcher();
    await one.pollNow();
    kong.fault = (request) =>
      request.startsWith('GET /consumers?') ? { status: 200, body: '{"data":[],"next":null}' } : null;
    await next(one);
    expect(emitted).toEqual([]);
  });

  it('a kind that may not be listed is left out and said once; the others go on', async () => {
    kong.fault = (request) => (request.startsWith('GET /plugins?') ? { status: 403 } : null);
    const one = watcher();
    await one.pollNow();
    kong.put('/consumers', { id: 'c1' });
    await next(one);
    await next(one);
    expect(told()).toEqual(['consumers create c1']);
    expect(log.filter((line) => line.includes('plugins'))).toHaveLength(1);
  });

  it('a clock that is set back does not stop the watch', async () => {
    const one = watcher();
    await one.pollNow();
    clock.skip(-86_400_000);
    kong.put('/consumers', { id: 'c1' });
    await one.pollNow();
    expect(told()).toEqual(['consumers create c1']);
  });
});

describe('what it costs', () => {
  it('nothing while nobody listens; and whoever begins to listen does not hear of the past', async () => {
    listening = () => false;
    const one = watcher();
    await one.pollNow();
    await next(one);
    expect(kong.requests).toEqual([]);

    kong.put('/consumers', { id: 'before' });
    listening = (source) => source === 'crud';
    await one.pollNow();
    listening = () => false;
    await next(one);
    kong.put('/consumers', { id: 'unheard' });
    listening = (source) => source === 'crud';
    await next(one);
    kong.put('/consumers', { id: 'heard' });
    await next(one);
    expect(told()).toEqual(['consumers create heard']);
  });

  it('only the kinds that somebody listens to', async () => {
    listening = (source, event) => source === 'crud' && event === 'consumers';
    await watcher().pollNow();
    expect(kong.requests.filter((line) => line.includes('?size=1000'))).toEqual(['GET /consumers?size=1000']);
  });

  it('a DB-less Kong is not listed again while its configuration hash stands', async () => {
    kong.configurationHash = 'aaaa';
    const one = watcher();
    await one.pollNow();
    kong.requests.length = 0;
    await next(one);
    expect(kong.requests).toEqual(['GET /status']);
    kong.configurationHash = 'bbbb';
    kong.put('/consumers', { id: 'c1' });
    await next(one);
    expect(told()).toEqual(['consumers create c1']);
  });

  it('a write that has gone through is looked at without waiting for the interval', async () => {
    const one = watcher({ intervals: { consumers: 3_600_000 } });
    await one.pollNow();
    kong.put('/consumers', { id: 'c1' });
    await next(one);
    expect(emitted).toEqual([]);
    void one.lookNow({ method: 'PUT', path: '/team-a/consumers/c1' });
    await one.pollNow();
    expect(told()).toEqual(['consumers create c1']);
  });

  it('the kinds come from Kong, those of plugins and of Enterprise included', async () => {
    await kong.close();
    kong = await FakeKongAdmin.start({
      '/my-things': 'my_things',
      '/rbac/roles': 'rbac_roles',
      '/tags': 'tags',
    });
    const one = watcher();
    await one.pollNow();
    kong.put('/my-things', { id: 't1' });
    kong.put('/rbac/roles', { id: 'r1' });
    kong.put('/tags', { id: 'x' });
    await next(one);
    expect(told().sort()).toEqual(['my_things create t1', 'rbac_roles create r1']);
  });
});
