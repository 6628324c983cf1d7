import { describe, expect, it } from 'vitest';
import { watched } from './support.ts';

const paths = { '/consumers': 'consumers', '/key-auths': 'keyauth_credentials', '/routes': 'routes' };
const consumer = { id: 'c1' };

describe('DB-less: a credential without an id has another one after each configuration', () => {
  const setUp = async () => {
    const all = await watched(paths);
    all.kong.configurationHash = 'a'.repeat(32);
    all.kong.put('/key-auths', { id: 'k1', key: 'one', consumer, created_at: 1, tags: ['x'] });
    all.kong.put('/key-auths', { id: 'k2', key: 'two', consumer, created_at: 1 });
    const watcher = all.watcher({ intervalMs: 0 });
    await watcher.round();
    let hash = 'a';
    const configure = async (...entities: Record<string, unknown>[]): Promise<string[]> => {
      const before = all.told().length;
      hash = hash === 'a' ? 'b' : 'a';
      all.kong.configurationHash = hash.repeat(32);
      for (const id of [...(all.kong.collections.get('/key-auths')?.keys() ?? [])])
        all.kong.remove('/key-auths', id);
      for (const entity of entities) all.kong.put('/key-auths', { id: '', ...entity });
      await watcher.round();
      return all.told().slice(before);
    };
    return { ...all, configure };
  };

  it('an identical configuration is no event, however often it comes', async () => {
    const { configure } = await setUp();
    for (let turn = 0; turn < 3; turn++) {
      const at = String(turn);
      expect(
        await configure(
          { id: `n1${at}`, key: 'one', consumer, created_at: 2, tags: ['x'] },
          { id: `n2${at}`, key: 'two', consumer, created_at: 2 },
        ),
      ).toEqual([]);
    }
  });

  it('a change of one is an update of what it was before', async () => {
    const { configure, data } = await setUp();
    const told = await configure(
      { id: 'n1', key: 'one', consumer, tags: ['y'] },
      { id: 'n2', key: 'two', consumer },
    );
    expect(told).toEqual(['keyauth_credentials update n1']);
    expect(data().at(-1)).toMatchObject({ old_entity: { id: 'k1', tags: ['x'] }, entity: { tags: ['y'] } });
    expect(
      await configure({ id: 'm1', key: 'one', consumer, tags: ['y'] }, { id: 'm2', key: 'two', consumer }),
    ).toEqual([]);
  });

  it('another key is another credential, as is the same key of another consumer', async () => {
    const { configure } = await setUp();
    expect(
      (
        await configure(
          { id: 'n1', key: 'other', consumer, tags: ['x'] },
          { id: 'n2', key: 'two', consumer: { id: 'c2' } },
        )
      ).toSorted(),
    ).toEqual([
      'keyauth_credentials create n1',
      'keyauth_credentials create n2',
      'keyauth_credentials delete k1',
      'keyauth_credentials delete k2',
    ]);
  });

  it('what is gone is deleted, and what is new is created', async () => {
    const { configure } = await setUp();
    expect(await configure({ id: 'n1', key: 'one', consumer, tags: ['x'] })).toEqual([
      'keyauth_credentials delete k2',
    ]);
    expect(
      await configure({ id: 'm1', key: 'one', consumer, tags: ['x'] }, { id: 'm3', key: 'three', consumer }),
    ).toEqual(['keyauth_credentials create m3']);
  });
});

describe('DB-less: what nothing names', () => {
  it('is itself while its content is', async () => {
    const { kong, watcher, told } = await watched(paths);
    kong.configurationHash = 'a'.repeat(32);
    kong.put('/routes', { id: 'r1', paths: ['/a'] });
    kong.put('/routes', { id: 'r2', paths: ['/a'] });
    const watch = watcher({ intervalMs: 0 });
    await watch.round();
    kong.configurationHash = 'b'.repeat(32);
    for (const id of ['r1', 'r2']) kong.remove('/routes', id);
    for (const id of ['n1', 'n2']) kong.put('/routes', { id, paths: ['/a'] });
    await watch.round();
    expect(told()).toEqual([]);
  });
});

it('with a database a new id is a deletion and a creation', async () => {
  const { kong, watcher, told } = await watched(paths);
  kong.put('/key-auths', { id: 'k1', key: 'one', consumer });
  const watch = watcher({ intervalMs: 0 });
  await watch.round();
  kong.remove('/key-auths', 'k1');
  kong.put('/key-auths', { id: 'k2', key: 'one', consumer });
  await watch.round();
  expect(told().toSorted()).toEqual(['keyauth_credentials create k2', 'keyauth_credentials delete k1']);
});

it('a new, renamed or deleted SNI is no update of its certificate', async () => {
  const { kong, watcher, told } = await watched({ '/certificates': 'certificates', '/snis': 'snis' });
  kong.put('/certificates', { id: 'c', cert: 'x', snis: [] });
  const watch = watcher({ intervalMs: 0 });
  await watch.round();
  const steps: [snis: string[], change: () => void][] = [
    [['a.test'], () => kong.put('/snis', { id: 's', name: 'a.test', certificate: { id: 'c' } })],
    [['b.test'], () => kong.put('/snis', { id: 's', name: 'b.test', certificate: { id: 'c' } })],
    [[], () => kong.remove('/snis', 's')],
  ];
  for (const [snis, change] of steps) {
    change();
    kong.put('/certificates', { id: 'c', cert: 'x', snis });
    await watch.round();
  }
  expect(told()).toEqual(['snis create s', 'snis update s', 'snis delete s']);
});
