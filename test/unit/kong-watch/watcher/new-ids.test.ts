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
    await watcher.pollNow();
    let hash = 'a';
    const configure = async (...entities: Record<string, unknown>[]): Promise<string[]> => {
      const before = all.told().length;
      hash = hash === 'a' ? 'b' : 'a';
      all.kong.configurationHash = hash.repeat(32);
      for (const id of [...(all.kong.collections.get('/key-auths')?.keys() ?? [])])
        all.kong.remove('/key-auths', id);
      for (const entity of entities) all.kong.put('/key-auths', { id: '', ...entity });
      await watcher.pollNow();
      return all.told().slice(before);
    };
    return { ...all, configure };
  };

  it('an identical configuration is not an event, however often it comes', async () => {
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

describe('DB-less: credentials of all kinds are known by what names them', () => {
  const credentials = {
    '/basic-auths': ['basicauth_credentials', { username: 'u', password: 'hash' }],
    '/hmac-auths': ['hmacauth_credentials', { username: 'u', secret: 's' }],
    '/jwts': ['jwt_secrets', { key: 'k', secret: 's', algorithm: 'HS256' }],
    '/key-auths': ['keyauth_credentials', { key: 'k' }],
    '/acls': ['acls', { group: 'g' }],
  } as const;

  it.each(Object.entries(credentials))('%s', async (path, [schema, fields]) => {
    const { kong, told, watcher } = await watched({ '/consumers': 'consumers', [path]: schema });
    kong.endpoints = [
      ...['/consumers', '/consumers/{consumers}', path, `${path}/{${schema}}`],
      `/consumers/{consumers}${path}/{${schema}}`,
    ];
    const one = watcher({ intervalMs: 0 });
    // Kong hashes the password of basic-auth with the id of the consumer, here one without a username.
    const load = async (turn: string, tags: string[] | null = null, password = `hash${turn}`) => {
      kong.configurationHash = turn.repeat(32);
      for (const list of kong.collections.values()) list.clear();
      kong.put('/consumers', { id: `c${turn}`, custom_id: 'one', created_at: Number(turn) });
      const own = 'password' in fields ? { ...fields, password } : fields;
      const [id, other] = [`x${turn}`, `y${turn}`];
      kong.put(path, { ...own, id, consumer: { id: `c${turn}` }, created_at: Number(turn), tags });
      kong.put(path, { ...own, id: other, consumer: { id: 'named' }, tags: null, ...stable });
      // One that has an id of its own.
      kong.put(path, { ...own, id: 'z', consumer: { id: `c${turn}` }, ...another });
      await one.pollNow();
    };
    const another = { username: 'z', key: 'z', group: 'z' };
    const stable = 'password' in fields ? { password: 'as it was' } : {};
    for (const turn of ['1', '2', '3']) await load(turn);
    expect(told()).toEqual([]);
    await load('4', ['x']);
    expect(told()).toEqual([`${schema} update x4`]);
    await load('5', ['x']);
    expect(told()).toHaveLength(1);
  });

  it('another password of a consumer who keeps the id is a change', async () => {
    const { kong, told, watcher } = await watched({ '/basic-auths': 'basicauth_credentials' });
    const one = watcher({ intervalMs: 0 });
    for (const [turn, password] of ['a', 'a', 'b', 'b'].entries()) {
      kong.configurationHash = String(turn + 1).repeat(32);
      kong.collections.get('/basic-auths')?.clear();
      kong.put('/basic-auths', { id: `b${String(turn)}`, username: 'u', password, consumer: { id: 'c' } });
      await one.pollNow();
    }
    expect(told()).toEqual(['basicauth_credentials update b2']);
  });
});

describe('DB-less: what nothing names', () => {
  it('is itself while its content is', async () => {
    const { kong, watcher, told } = await watched(paths);
    kong.configurationHash = 'a'.repeat(32);
    kong.put('/routes', { id: 'r1', paths: ['/a'] });
    kong.put('/routes', { id: 'r2', paths: ['/a'] });
    const watch = watcher({ intervalMs: 0 });
    await watch.pollNow();
    kong.configurationHash = 'b'.repeat(32);
    for (const id of ['r1', 'r2']) kong.remove('/routes', id);
    for (const id of ['n1', 'n2']) kong.put('/routes', { id, paths: ['/a'] });
    await watch.pollNow();
    expect(told()).toEqual([]);
  });
});

it('with a database a new id is a deletion and a creation', async () => {
  const { kong, watcher, told } = await watched(paths);
  kong.put('/key-auths', { id: 'k1', key: 'one', consumer });
  const watch = watcher({ intervalMs: 0 });
  await watch.pollNow();
  kong.remove('/key-auths', 'k1');
  kong.put('/key-auths', { id: 'k2', key: 'one', consumer });
  await watch.pollNow();
  expect(told().toSorted()).toEqual(['keyauth_credentials create k2', 'keyauth_credentials delete k1']);
});

it('a new, renamed or deleted SNI is not an update of its certificate', async () => {
  const { kong, watcher, told } = await watched({ '/certificates': 'certificates', '/snis': 'snis' });
  kong.put('/certificates', { id: 'c', cert: 'x', snis: [] });
  const watch = watcher({ intervalMs: 0 });
  await watch.pollNow();
  const steps: [snis: string[], change: () => void][] = [
    [['a.test'], () => kong.put('/snis', { id: 's', name: 'a.test', certificate: { id: 'c' } })],
    [['b.test'], () => kong.put('/snis', { id: 's', name: 'b.test', certificate: { id: 'c' } })],
    [[], () => kong.remove('/snis', 's')],
  ];
  for (const [snis, change] of steps) {
    change();
    kong.put('/certificates', { id: 'c', cert: 'x', snis });
    await watch.pollNow();
  }
  expect(told()).toEqual(['snis create s', 'snis update s', 'snis delete s']);
});

describe('DB-less: what refers to an entity that has another id after each configuration', () => {
  const kinds = {
    '/certificates': 'certificates',
    '/snis': 'snis',
    '/services': 'services',
    '/routes': 'routes',
    '/consumers': 'consumers',
    '/plugins': 'plugins',
    '/key-auths': 'keyauth_credentials',
    '/acls': 'acls',
    '/oauth2': 'oauth2_credentials',
    '/oauth2_tokens': 'oauth2_tokens',
  };
  const nested = [
    '/certificates/{certificates}/snis/{snis}',
    '/certificates/{certificates}/services/{services}',
    '/services/{services}/routes/{routes}',
    '/services/{services}/plugins/{plugins}',
    '/routes/{routes}/plugins/{plugins}',
    '/consumers/{consumers}/plugins/{plugins}',
    '/consumers/{consumers}/key-auth/{keyauth_credentials}',
    '/consumers/{consumers}/acls/{acls}',
    '/consumers/{consumers}/oauth2/{oauth2_credentials}',
    '/oauth2/{oauth2_credentials}/oauth2_tokens/{oauth2_tokens}',
  ];
  type Named = Record<string, unknown> & { id: string };
  const at = (id: string) => ({ id });
  /** One configuration without ids and names, as the node shows it; what Kong names itself keeps its id. */
  const configuration = (turn: string, cors: Record<string, unknown> = {}): [string, Named][] => [
    ['/certificates', { ...at(`cert${turn}`), cert: 'x' }],
    ['/snis', { id: 'sni', name: 'a.test', certificate: at(`cert${turn}`) }],
    ['/services', { id: `s${turn}`, host: 'h', client_certificate: at(`cert${turn}`) }],
    ['/routes', { id: `r${turn}`, paths: ['/a'], service: at(`s${turn}`) }],
    ['/consumers', { id: `c${turn}`, custom_id: 'one' }],
    ['/plugins', { id: `p1${turn}`, name: 'cors', route: at(`r${turn}`), ...cors }],
    ['/plugins', { id: `p2${turn}`, name: 'cors', service: at(`s${turn}`) }],
    ['/plugins', { id: `p3${turn}`, name: 'cors', consumer: at(`c${turn}`) }],
    ['/key-auths', { id: `k${turn}`, key: 'k', consumer: at(`c${turn}`) }],
    ['/acls', { id: `a${turn}`, group: 'g', consumer: at(`c${turn}`) }],
    ['/oauth2', { id: `o${turn}`, name: 'o', client_id: 'i', consumer: at(`c${turn}`) }],
    ['/oauth2_tokens', { id: `t${turn}`, access_token: 't', credential: at(`o${turn}`) }],
  ];

  it.each([
    ['everything', () => true],
    ['plugins', (event: string) => event.startsWith('plugins')],
    ['tokens', (event: string) => event.startsWith('oauth2_tokens')],
  ] as const)('is the same for a hook on %s, and a change of it is one event', async (_, hears) => {
    const { kong, told, data, watcher } = await watched(
      kinds,
      (source, event) => source === 'crud' && (hears(event) || event === 'create'),
    );
    kong.endpoints = [
      ...Object.entries(kinds).flatMap(([path, schema]) => [path, `${path}/{${schema}}`]),
      ...nested,
    ];
    const load = (turn: string, cors?: Record<string, unknown>): void => {
      kong.configurationHash = turn.repeat(32);
      for (const list of kong.collections.values()) list.clear();
      for (const [path, entity] of configuration(turn, cors)) kong.put(path, entity);
    };
    const one = watcher({ intervalMs: 0 });
    load('1');
    await one.pollNow();
    for (const turn of ['2', '3', '4']) {
      load(turn);
      await one.pollNow();
    }
    expect(told()).toEqual([]);
    load('5', { enabled: false });
    await one.pollNow();
    expect(told()).toEqual(hears('plugins') ? ['plugins update p15'] : []);
    if (hears('plugins')) expect(data()[0]?.old_entity).toMatchObject({ id: 'p14' });
  });

  it.each(['routes', 'services', 'certificates', 'consumers', 'plugins', 'snis', 'oauth2_tokens'])(
    'is the same where %s are looked at seldom',
    async (schema) => {
      const { kong, told, watcher, clock } = await watched(kinds);
      kong.endpoints = [
        ...Object.entries(kinds).flatMap(([path, name]) => [path, `${path}/{${name}}`]),
        ...nested,
      ];
      const one = watcher({ intervalMs: 1000, intervals: { [schema]: 10_000 } });
      for (const turn of ['1', '2', '3']) {
        kong.configurationHash = turn.repeat(32);
        for (const list of kong.collections.values()) list.clear();
        for (const [path, entity] of configuration(turn)) kong.put(path, entity);
        await one.pollNow();
        clock.skip(1000);
      }
      clock.skip(10_000);
      await one.pollNow();
      expect(told()).toEqual([]);
    },
  );

  it.each([
    ['that are refused', 500],
    ['with which the round ends', 503],
  ])('is the same where kinds could not be read while ids changed: %s', async (_, status) => {
    const { kong, told, watcher } = await watched(kinds);
    kong.endpoints = [
      ...Object.entries(kinds).flatMap(([path, name]) => [path, `${path}/{${name}}`]),
      ...nested,
    ];
    const one = watcher({ intervalMs: 0 });
    const load = (turn: string, cors?: Record<string, unknown>): void => {
      kong.configurationHash = turn.repeat(32);
      for (const list of kong.collections.values()) list.clear();
      for (const [path, entity] of configuration(turn, cors)) kong.put(path, entity);
    };
    load('1');
    await one.pollNow();
    for (const path of ['/key-auths', '/plugins', '/snis', '/routes', '/oauth2', '/oauth2_tokens']) {
      kong.fault = (request) => (request.startsWith(`GET ${path}?`) ? { status } : null);
      for (const turn of ['2', '3']) {
        load(turn);
        await one.pollNow();
        await one.pollNow();
      }
      kong.fault = () => null;
      await one.pollNow();
      expect([path, told()]).toEqual([path, []]);
      load('1');
      await one.pollNow();
    }
    kong.fault = (request) => (request.startsWith('GET /plugins?') ? { status } : null);
    load('4', { enabled: false });
    await one.pollNow();
    kong.fault = () => null;
    await one.pollNow();
    expect(told()).toEqual(['plugins update p14']);
  });

  it('a plugin that moves to another route is another one', async () => {
    const { kong, told, watcher } = await watched(kinds);
    kong.endpoints = [
      ...Object.entries(kinds).flatMap(([path, schema]) => [path, `${path}/{${schema}}`]),
      ...nested,
    ];
    const load = (turn: string, route: string): void => {
      kong.configurationHash = turn.repeat(32);
      for (const list of kong.collections.values()) list.clear();
      for (const path of ['a', 'b']) kong.put('/routes', { id: `${path}${turn}`, paths: [`/${path}`] });
      kong.put('/plugins', { id: `p${turn}`, name: 'cors', route: at(`${route}${turn}`) });
    };
    const one = watcher({ intervalMs: 0 });
    load('1', 'a');
    await one.pollNow();
    load('2', 'b');
    await one.pollNow();
    expect(told().toSorted()).toEqual(['plugins create p2', 'plugins delete p1']);
  });
});

it('of a certificate, a change with renamed SNIs and a deletion are one event each', async () => {
  const { kong, watcher, told } = await watched({ '/certificates': 'certificates', '/snis': 'snis' });
  kong.endpoints = [
    '/certificates',
    '/certificates/{certificates}',
    '/snis',
    '/snis/{snis}',
    '/certificates/{certificates}/snis/{snis}',
  ];
  const certificate = { id: 'c' };
  kong.put('/certificates', { id: 'c', cert: 'x', snis: ['a.test', 'b.test'] });
  for (const name of ['a', 'b']) kong.put('/snis', { id: name, name: `${name}.test`, certificate });
  const watch = watcher({ intervalMs: 0 });
  await watch.pollNow();
  kong.put('/snis', { id: 'a', name: 'new.test', certificate });
  kong.put('/certificates', { id: 'c', cert: 'y', snis: ['b.test', 'new.test'] });
  await watch.pollNow();
  expect(told().toSorted()).toEqual(['certificates update c', 'snis update a']);
  for (const id of ['a', 'b']) kong.remove('/snis', id);
  kong.remove('/certificates', 'c');
  await watch.pollNow();
  expect(told().slice(2, 4).toSorted()).toEqual(['snis delete a', 'snis delete b']);
  expect(told().slice(4)).toEqual(['certificates delete c']);
});
