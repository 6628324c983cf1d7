import { describe, expect, test } from 'vitest';
import { loadDeclarativeObject } from '../../../../src/sandbox/declarative/index.ts';
import { HeaderList } from '../../../../src/sandbox/gateway/headers.ts';
import { Router, type RouterRequest } from '../../../../src/sandbox/gateway/router.ts';

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
    host: url.hostname,
    port: Number(url.port || 80),
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

  test('an expression that JavaScript does not know leaves its route out and says so', () => {
    const logs: string[] = [];
    const router = routerOf(
      [
        { name: 'bad', paths: ['~/a(?>b)'] },
        { name: 'good', paths: ['/a'] },
      ],
      logs,
    );
    expect(router.match(request('/ab'))?.route.name).toBe('good');
    expect(logs.join()).toContain('route bad is left out');
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

describe('more conditions', () => {
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
});
