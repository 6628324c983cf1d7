import { describe, expect, it } from 'vitest';
import type { Watched } from './support.ts';
import { watched } from './support.ts';

const paths = {
  '/consumers': 'consumers',
  '/key-auths': 'keyauth_credentials',
  '/services': 'services',
};
const next = async ({ clock }: Watched, one: { pollNow(): Promise<void> }): Promise<void> => {
  clock.skip(60_000);
  await one.pollNow();
};

describe('what looks like a change and is none', () => {
  it('a ttl that runs down (Kong shows the seconds that are left)', async () => {
    const all = await watched(paths);
    const one = all.watcher();
    all.kong.put('/key-auths', { id: 'k1', key: 'x', ttl: 3600 });
    await one.pollNow();
    all.kong.put('/key-auths', { id: 'k1', key: 'x', ttl: 3540 });
    await next(all, one);
    expect(all.told()).toEqual([]);
    all.kong.put('/key-auths', { id: 'k1', key: 'x', ttl: null });
    await next(all, one);
    expect(all.told()).toEqual(['keyauth_credentials update k1']);
  });

  it('a DB-less node that stamps every entity anew with each configuration', async () => {
    const all = await watched(paths);
    const load = (at: number, path: string): void => {
      all.kong.put('/services', { id: 's1', path, created_at: at, updated_at: at });
      all.kong.put('/consumers', { id: 'c1', username: 'alice', created_at: at, updated_at: at });
      all.kong.configurationHash = `hash-${String(at)}`;
    };
    const one = all.watcher();
    load(1, '/a');
    await one.pollNow();
    load(2, '/b');
    await next(all, one);
    expect(all.told()).toEqual(['services update s1']);
  });

  it('fields that a new version of Kong shows as null', async () => {
    const all = await watched(paths);
    const one = all.watcher();
    all.kong.put('/consumers', { id: 'c1', username: 'a', nested: { b: 1 } });
    await one.pollNow();
    all.kong.put('/consumers', { id: 'c1', username: 'a', nested: { b: 1, fresh: null }, custom_id: null });
    await next(all, one);
    expect(all.told()).toEqual([]);
  });

  it('an empty list that is an object at another time (Lua has tables)', async () => {
    const all = await watched(paths);
    const one = all.watcher();
    all.kong.put('/consumers', { id: 'c1', tags: [] });
    await one.pollNow();
    all.kong.put('/consumers', { id: 'c1', tags: {} });
    await next(all, one);
    expect(all.told()).toEqual([]);
  });

  it('a page without items whose list is an empty object', async () => {
    const all = await watched(paths);
    const one = all.watcher();
    await one.pollNow();
    all.kong.fault = (request) =>
      request.startsWith('GET /services?') ? { status: 200, body: '{"data":{},"next":null}' } : null;
    all.kong.put('/consumers', { id: 'c1' });
    await next(all, one);
    expect(all.told()).toEqual(['consumers create c1']);
  });

  it('a workspace that a token does not see any more is not gone, and neither is what is in it', async () => {
    const all = await watched(paths, (source, event) => source === 'crud' && event === 'consumers');
    all.kong.workspaces = ['default', 'blue'];
    for (const path of ['/default/consumers', '/blue/consumers']) all.kong.collections.set(path, new Map());
    all.kong.put('/blue/consumers', { id: 'c1' });
    const one = all.watcher();
    await one.pollNow();
    all.kong.workspaces = ['default'];
    all.kong.hiddenWorkspaces = ['blue'];
    await next(all, one);
    expect(all.told()).toEqual([]);

    // Really gone: with everything in it.
    all.kong.hiddenWorkspaces = [];
    all.kong.collections.delete('/blue/consumers');
    await next(all, one);
    expect(all.told()).toEqual(['consumers delete c1']);
  });

  it('a next page that only `next` names is read as well', async () => {
    const all = await watched(paths, (source, event) => source === 'crud' && event === 'consumers');
    const pages: Record<string, string> = {
      'GET /consumers?size=1000': '{"data":[{"id":"c1"}],"next":"/consumers?offset=abc"}',
      'GET /consumers?size=1000&offset=abc': '{"data":[{"id":"c2"}],"next":null}',
    };
    all.kong.fault = (request) =>
      pages[request] === undefined ? null : { status: 200, body: pages[request] };
    const one = all.watcher();
    await one.pollNow();
    pages['GET /consumers?size=1000&offset=abc'] = '{"data":[{"id":"c2","username":"x"}],"next":null}';
    await next(all, one);
    expect(all.told()).toEqual(['consumers update c2']);
  });

  it('pages that go round in a circle are an error', async () => {
    const all = await watched(paths, (source, event) => source === 'crud' && event === 'consumers');
    let page = 0;
    all.kong.fault = (request) =>
      request.startsWith('GET /consumers')
        ? { status: 200, body: `{"data":[{"id":"c1"}],"offset":"${String(++page % 3)}"}` }
        : null;
    await all.watcher().pollNow();
    expect(all.log.join()).toContain('cannot be read');
  });
});

describe('what is a change', () => {
  it('a new workspace with what is in it already', async () => {
    const all = await watched(paths, (source, event) => source === 'crud' && event === 'consumers');
    all.kong.workspaces = ['default'];
    all.kong.collections.set('/default/consumers', new Map());
    const one = all.watcher();
    await one.pollNow();
    all.kong.workspaces = ['default', 'blue'];
    all.kong.put('/blue/consumers', { id: 'c1' });
    await next(all, one);
    expect(all.told()).toEqual(['consumers create c1']);
  });

  it('a target: Kong has lists of them below their upstreams only', async () => {
    const all = await watched({ '/upstreams': 'upstreams', '/targets': 'targets' });
    const item = '/{upstreams}/targets/{targets}';
    all.kong.endpoints = [
      '/upstreams',
      '/upstreams/{upstreams}',
      `/upstreams${item}`,
      '/targets',
      '/targets/{targets}',
    ];
    all.kong.put('/upstreams', { id: 'u1' });
    const one = all.watcher();
    await one.pollNow();
    all.kong.put('/upstreams', { id: 'u2' });
    all.kong.put('/targets', { id: 't1', upstream: { id: 'u1' } });
    all.kong.put('/targets', { id: 't2', upstream: { id: 'u2' } });
    await next(all, one);
    all.kong.fault = (request) => (request.includes('/u1/targets') ? { status: 500 } : null);
    await next(all, one);
    all.kong.fault = () => null;
    all.kong.remove('/targets', 't1');
    await next(all, one);
    await next(all, one);
    expect(all.told()).toEqual([
      'upstreams create u2',
      'targets create t1',
      'targets create t2',
      'targets delete t1',
    ]);
  });

  it('an entity whose id is a number', async () => {
    const all = await watched({ '/my-things': 'my_things' });
    const one = all.watcher();
    await one.pollNow();
    const things = all.kong.collections.get('/my-things');
    things?.set('7', { id: 7 } as never);
    await next(all, one);
    things?.delete('7');
    await next(all, one);
    expect(all.told()).toEqual(['my_things create 7', 'my_things delete 7']);
  });

  it('the same entity, gone and back with the same content, is two events with two ids', async () => {
    const all = await watched(paths);
    const one = all.watcher();
    await one.pollNow();
    for (let times = 0; times < 2; times += 1) {
      all.kong.put('/consumers', { id: 'c1', username: 'alice' });
      await next(all, one);
      all.kong.remove('/consumers', 'c1');
      await next(all, one);
    }
    expect(all.told()).toHaveLength(4);
    expect(new Set(all.emitted.map((event) => event.id)).size).toBe(4);
  });

  it('an entity that has moved to another kind is gone there and new here', async () => {
    const all = await watched(paths);
    all.kong.put('/consumers', { id: 'x1' });
    const one = all.watcher();
    await one.pollNow();
    all.kong.remove('/consumers', 'x1');
    all.kong.put('/services', { id: 'x1' });
    await next(all, one);
    expect(all.told().sort()).toEqual(['consumers delete x1', 'services create x1']);
  });

  it('a renamed entity is one update; two that have swapped their names are two', async () => {
    const all = await watched(paths);
    all.kong.put('/consumers', { id: 'c1', username: 'a' });
    all.kong.put('/consumers', { id: 'c2', username: 'b' });
    const one = all.watcher();
    await one.pollNow();
    all.kong.put('/consumers', { id: 'c1', username: 'c' });
    all.kong.put('/consumers', { id: 'c3', username: 'a' });
    await next(all, one);
    expect(all.told()).toEqual(['consumers update c1', 'consumers create c3']);
    all.emitted.length = 0;
    all.kong.put('/consumers', { id: 'c2', username: 'c' });
    all.kong.put('/consumers', { id: 'c1', username: 'b' });
    await next(all, one);
    expect(all.told().sort()).toEqual(['consumers update c1', 'consumers update c2']);
  });
});
