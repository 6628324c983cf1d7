import { describe, expect, test } from 'vitest';
import { loadDeclarativeObject } from '../../../../src/kong-end/declarative/index.ts';
import type { StreamRequest } from '../../../../src/sandbox/streams/stream-router.ts';
import { StreamRouter } from '../../../../src/sandbox/streams/stream-router.ts';

const request = (more: Partial<StreamRequest> = {}): StreamRequest => ({
  client: { ip: '10.0.0.9', port: 40000 },
  server: { ip: '127.0.0.1', port: 9000 },
  sni: null,
  ...more,
});

/** Names of the routes that requests meet. */
function met(routes: object[], ...requests: StreamRequest[]): (string | null | undefined)[] {
  const named = routes.map((route) => ({ protocols: ['tcp'], ...route }));
  const store = loadDeclarativeObject({
    _format_version: '3.0',
    services: [{ name: 's', url: 'tcp://up.test:1', routes: named }],
  });
  const router = new StreamRouter(store.snapshot());
  return requests.map((each) => router.match(each)?.route.name);
}

describe('the order of routes', () => {
  test('a server name, or sources with destinations, come first; then addresses, ports, ranges', () => {
    const routes = [
      { name: 'range', destinations: [{ ip: '127.0.0.0/8' }] },
      { name: 'port', destinations: [{ port: 9000 }] },
      { name: 'address', destinations: [{ ip: '127.0.0.1' }] },
    ];
    expect(met(routes, request())).toEqual(['address']);
    expect(met(routes.slice(0, 2), request())).toEqual(['port']);
    const sources = { name: 'source', sources: [{ ip: '10.0.0.0/8' }] };
    expect(met([...routes, sources], request())).toEqual(['source']);
    const both = { name: 'both', sources: [{ port: 40000 }], destinations: [{ port: 9000 }] };
    expect(met([...routes, sources, both], request())).toEqual(['both']);
  });

  test('is by id, the greatest first, where nothing else tells', () => {
    const id = (digit: string): string => `${digit.repeat(8)}-0000-4000-8000-000000000000`;
    const routes = [
      { name: 'low', id: id('1'), destinations: [{ port: 9000 }] },
      { name: 'high', id: id('2'), destinations: [{ port: 9000 }] },
    ];
    expect(met(routes, request())).toEqual(['high']);
    expect(met(routes.reverse(), request())).toEqual(['high']);
  });
});

describe('a route', () => {
  test('is met whatever its protocols are, also by clients without a name where it has server names', () => {
    const routes = [{ name: 'tls', protocols: ['tls'], snis: ['a.test', '*.b.test'] }];
    const of = (sni: string | null): StreamRequest => request({ sni });
    expect(met(routes, of('a.test'), of('x.b.test'), of('c.test'), of(null))).toEqual([
      'tls',
      'tls',
      undefined,
      'tls',
    ]);
  });

  test('looks at the address that was connected to, however it is written', () => {
    const routes = [{ name: 'v6', destinations: [{ ip: '0:0:0:0:0:0:0:1' }] }];
    const at = (ip: string): StreamRequest => request({ server: { ip, port: 1 } });
    expect(met(routes, at('::1'), at('127.0.0.1'))).toEqual(['v6', undefined]);
  });
});
