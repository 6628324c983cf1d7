import { describe, expect, test } from 'vitest';
import { loadDeclarativeObject } from '../../../../src/kong-end/declarative/index.ts';
import { HeaderList } from '../../../../src/kong-end/request/headers.ts';
import type { Prioritized } from '../../../../src/kong-end/router/router-priority.ts';
import { routePriority } from '../../../../src/kong-end/router/router-priority.ts';
import type { RouterRequest } from '../../../../src/kong-end/router/router.ts';
import { Router } from '../../../../src/kong-end/router/router.ts';

function routerOf(routes: object[], logs: string[] = []): Router {
  const store = loadDeclarativeObject({
    _format_version: '3.0',
    services: [{ name: 's', url: 'http://up.test/base', routes }],
  });
  return new Router(store.snapshot(), (_level, message) => logs.push(message));
}

function request(
  target: string,
  more: Partial<RouterRequest> & { header?: [string, string] } = {},
): RouterRequest {
  const url = new URL(target, 'http://host.test');
  const headers = new HeaderList();
  if (more.header !== undefined) headers.append(...more.header);
  return {
    method: 'GET',
    host: url.host,
    port: 80,
    path: decodeURI(url.pathname),
    headers,
    sni: null,
    tls: false,
    ...more,
  };
}

function names(routes: object[], ...requests: RouterRequest[]): (string | null | undefined)[] {
  const router = routerOf(routes);
  return requests.map((each) => router.match(each)?.route.name);
}

describe('paths', () => {
  test('the longest prefix wins, whatever the order', () => {
    const routes = [
      { name: 'a', paths: ['/a'] },
      { name: 'ab', paths: ['/a/b'] },
    ];
    expect(names(routes, request('/a/b/c'), request('/a/x'), request('/x'))).toEqual(['ab', 'a', undefined]);
    expect(names(routes.reverse(), request('/a/b/c'))).toEqual(['ab']);
  });

  test('a regular expression comes before a prefix, the higher regex_priority first', () => {
    const routes = [
      { name: 'prefix', paths: ['/status/200/long'] },
      { name: 'low', paths: ['~/status/\\d+'], regex_priority: 0 },
      { name: 'high', paths: ['~/status/2\\d\\d'], regex_priority: 5 },
    ];
    expect(names(routes, request('/status/200/long'), request('/status/404'))).toEqual(['high', 'low']);
  });

  test('captures are numbered and named', () => {
    const router = routerOf([{ name: 'r', paths: ['~/u/(?<id>\\d+)/(\\w+)?'] }]);
    const match = router.match(request('/u/42/'));
    expect(match?.captures?.unnamed).toEqual(['/u/42/', '42', '']);
    expect({ ...match?.captures?.named }).toEqual({ id: '42' });
  });

  test('what is left after the match, when it is stripped', () => {
    const router = routerOf([{ name: 'r', paths: ['/a'] }]);
    expect(router.match(request('/a/b'))).toMatchObject({ prefix: '/a', postfix: '/b' });
    const kept = routerOf([{ name: 'r', paths: ['/a'], strip_path: false }]);
    expect(kept.match(request('/a/b'))).toMatchObject({ prefix: null });
  });

  test.each([
    ['a class of Unicode', '~/\\pL+$', ['/é'], ['/1']],
    ['a flag in the middle', '~/a(?i)b', ['/ab', '/aB'], ['/Ab']],
    ['blanks that do not count', '~/(?x: a b )c', ['/abc'], ['/a bc']],
    ['POSIX classes', '~/[[:digit:]]{2}$', ['/12'], ['/1d', '/:']],
    ['classes that are cut', '~/[a-z&&[^x]]$', ['/a'], ['/x', '/&']],
    ['two quantifiers, of which the second is one', '~/a++b', ['/aab'], ['/b']],
    ['the text’s end', '~/a\\z', ['/a'], ['/ab']],
    ['swapped greed', '~/(?U)a+', ['/aaa'], ['/b']],
  ])('%s means what it means in Rust’s regex: %s', (_name, path, met, missed) => {
    const routes = [{ name: 'r', paths: [path] }];
    expect(names(routes, ...met.map((each) => request('/', { path: each })))).toEqual(met.map(() => 'r'));
    expect(names(routes, ...missed.map((each) => request('/', { path: each })))).toEqual(
      missed.map(() => undefined),
    );
  });

  test('an expression that backtracks for ever elsewhere is read in linear time', () => {
    const routes = [{ name: 'r', paths: ['~/(a+)+$'] }];
    expect(names(routes, request(`/${'a'.repeat(5000)}b`))).toEqual([undefined]);
  });
});

describe('hosts', () => {
  test('plain before wildcards, on either side, with ports', () => {
    const routes = [
      { name: 'left', hosts: ['*.example.com'] },
      { name: 'right', hosts: ['example.*'] },
      { name: 'plain', hosts: ['a.example.com'] },
      { name: 'port', hosts: ['p.test:8000'] },
    ];
    expect(
      names(
        routes,
        request('http://a.example.com/'),
        request('http://b.example.com/'),
        request('http://example.org/'),
        request('http://p.test:8000/'),
        request('http://p.test:9000/'),
        request('http://example.com.evil/'),
      ),
    ).toEqual(['plain', 'left', 'right', 'port', undefined, 'right']);
  });
});

test.each([
  ['upper case in the Host', 'A.test', ['a.test'], false],
  ['upper case before a wildcard’s part', 'X.wild.test', ['*.wild.test'], true],
  ['upper case in a wildcard’s part', 'x.WILD.test', ['*.wild.test'], false],
  ['nothing before a wildcard’s part', '.wild.test', ['*.wild.test'], true],
  ['a colon without a port', 'a.test:', ['a.test'], false],
  ['a port', 'a.test:81', ['a.test'], true],
  ['a port as Lua reads it', 'a.test:0x50', ['a.test:80'], true],
  ['a port that is not a number', 'a.test:80a', ['a.test'], false],
  ['no Host', null, ['*.test'], false],
])('%s: Kong takes the Host header as it is', (_name, host, hosts, fits) => {
  expect(names([{ name: 'r', hosts }], request('/', { host }))).toEqual([fits ? 'r' : undefined]);
});

describe('more conditions', () => {
  const nothing: Prioritized = {
    methods: null,
    hosts: null,
    headers: null,
    snis: null,
    paths: null,
    regex_priority: 0,
    sources: null,
    destinations: null,
  };

  test('a route with more of them comes first', () => {
    const routes = [
      { name: 'path', paths: ['/very/long/path'] },
      { name: 'both', paths: ['/very'], methods: ['GET'] },
    ];
    expect(names(routes, request('/very/long/path'), request('/very/long/path', { method: 'PUT' }))).toEqual([
      'both',
      'path',
    ]);
  });

  test.each([
    ['hosts', { hosts: ['a.test'] }, 1152921505143717888n],
    ['paths and methods', { paths: ['/pm'], methods: ['GET'] }, 1073741827n],
    ['paths and headers', { paths: ['/ph'], headers: { x: ['1'] } }, 1074790403n],
    ['paths', { paths: ['/p'] }, 536870914n],
  ])(
    'the priority of %s is the one measured on Kong 3.9.3',
    (_name, given: Partial<Prioritized>, priority) => {
      expect(routePriority({ ...nothing, ...given })).toBe(priority);
    },
  );

  test.each([
    ['plain hosts before path and method', { hosts: ['a.test'] }, { paths: ['/pm'], methods: ['GET'] }],
    ['plain hosts before path and header', { hosts: ['a.test'] }, { paths: ['/pm'], headers: { x: ['1'] } }],
    [
      'plain hosts before a wildcard, a path and a method',
      { hosts: ['a.test'] },
      { hosts: ['*.test'], paths: ['/pm'], methods: ['GET'] },
    ],
    [
      'a regular expression before a prefix, a method and a header',
      { paths: ['~/p\\w'] },
      { paths: ['/pm'], methods: ['GET'], headers: { x: ['1'] } },
    ],
  ])('%s, as Kong 3.9.3 shifts its numbers', (_name, first, second) => {
    const met = request('http://a.test/pm', { header: ['x', '1'] });
    const routes = [
      { name: 'second', ...second },
      { name: 'first', ...first },
    ];
    expect(names(routes, met)).toEqual(['first']);
    expect(names(routes.reverse(), met)).toEqual(['first']);
  });

  test('of equal priority the greatest id comes first', () => {
    const routes = [1, 3, 2].map((n) => ({
      id: `0000000${String(n)}-0000-4000-8000-000000000000`,
      name: String(n),
      paths: ['/same'],
    }));
    expect(names(routes, request('/same'))).toEqual(['3']);
  });

  test('a path or a host that is not UTF-8 meets no route that has one', () => {
    const broken = request('/', { path: '/p/\udce9', host: 'a.test' });
    expect(names([{ name: 'path', paths: ['/'] }], broken)).toEqual([undefined]);
    expect(names([{ name: 'method', methods: ['GET'] }], broken)).toEqual(['method']);
    expect(names([{ name: 'host', hosts: ['*.test'] }], { ...broken, host: '\udce9.test' })).toEqual([
      undefined,
    ]);
  });

  test('headers: any of the values, without case, or a regular expression', () => {
    const routes = [
      { name: 'exact', headers: { 'x-v': ['one', 'two'] } },
      { name: 'regex', headers: { 'x-v': ['~*^v[0-9]+$'] } },
    ];
    expect(
      names(
        routes,
        request('/', { header: ['X-V', 'TWO'] }),
        request('/', { header: ['x-v', 'v12'] }),
        request('/', { header: ['x-v', 'no'] }),
      ),
    ).toEqual(['exact', 'regex', undefined]);
  });

  test('server names count over TLS only', () => {
    const routes = [{ name: 'sni', protocols: ['https'], snis: ['a.test'] }];
    expect(
      names(
        routes,
        request('/', { tls: true, sni: 'a.test' }),
        request('/', { tls: true, sni: 'b.test' }),
        request('/'),
      ),
    ).toEqual(['sni', undefined, 'sni']);
  });

  test('server names may have a wildcard at either end, and a dot at the end that does not count', () => {
    const routes = [
      { name: 'left', protocols: ['https'], snis: ['*.left.test'] },
      { name: 'right', protocols: ['https'], snis: ['right.*'] },
      { name: 'dot', protocols: ['https'], snis: ['dot.test.'] },
    ];
    const of = (sni: string): RouterRequest => request('/', { tls: true, sni });
    expect(
      names(routes, of('a.left.test'), of('left.test'), of('right.test'), of('dot.test'), of('dot.test.')),
    ).toEqual(['left', undefined, 'right', 'dot', undefined]);
  });

  test('a header that is not UTF-8 meets no route where a route looks at it', () => {
    const broken = request('/', { header: ['x-v', '\udce9'] });
    expect(
      names(
        [
          { name: 'other', headers: { 'x-v': ['a'] } },
          { name: 'all', paths: ['/'] },
        ],
        broken,
      ),
    ).toEqual([undefined]);
    expect(names([{ name: 'all', paths: ['/'] }], broken)).toEqual(['all']);
  });

  test('a header’s letters are lowered as Rust does, those of the route as Lua does', () => {
    const of = (value: string): RouterRequest => request('/', { header: ['x-v', value] });
    expect(names([{ name: 'r', headers: { 'x-v': ['ÉA'] } }], of('ÉA'), of('éa'))).toEqual([
      undefined,
      undefined,
    ]);
    expect(names([{ name: 'r', headers: { 'x-v': ['éA'] } }], of('ÉA'))).toEqual(['r']);
  });
});
