import { describe, expect, test } from 'vitest';
import { loadDeclarativeObject } from '../../../../src/kong-end/declarative/index.ts';
import type { Lookup } from '../../../../src/kong-end/request/balancer.ts';
import { Balancer, NoPeer } from '../../../../src/kong-end/request/balancer.ts';

/** A DNS with these names; of others it has none, or cannot be asked. */
function dns(names: Readonly<Record<string, string>>, code = 'ENOTFOUND'): Lookup {
  return (name) => {
    const ip = names[name];
    if (ip !== undefined) return Promise.resolve(ip);
    return Promise.reject(Object.assign(new Error(`getaddrinfo ${code} ${name}`), { code }));
  };
}

/** Where `count` requests to a service at `up.test` go: addresses, or what Kong answers. */
async function peers(targets: readonly object[] | null, lookup: Lookup, count = 1): Promise<unknown[]> {
  const snapshot = loadDeclarativeObject({
    _format_version: '3.0',
    services: [{ name: 's', url: 'http://up.test/', routes: [{ name: 'r', paths: ['/'] }] }],
    ...(targets === null ? {} : { upstreams: [{ name: 'up.test', targets }] }),
  }).snapshot();
  const balancer = new Balancer(snapshot, lookup);
  const [service = null] = snapshot.services;
  const [route = null] = snapshot.routes;
  const found: unknown[] = [];
  for (let at = 0; at < count; at++) {
    const picked = balancer.pick({ service, route }, { host: 'up.test', port: 80 });
    found.push(
      await picked.then(
        ({ ip, port }) => `${ip}:${String(port)}`,
        (error: unknown) => (error instanceof NoPeer ? [error.status, error.message] : error),
      ),
    );
  }
  return found;
}

describe('the name of a service', () => {
  test('is looked up', async () => {
    expect(await peers(null, dns({ 'up.test': '192.0.2.1' }))).toEqual(['192.0.2.1:80']);
  });

  test.each(['ENOTFOUND', 'ENODATA'])('that has no address is a 503 (%s)', async (code) => {
    expect(await peers(null, dns({}, code))).toEqual([[503, 'name resolution failed']]);
  });

  test.each(['EAI_AGAIN', 'ETIMEOUT', 'ESERVFAIL'])('is a 500 where DNS has no answer (%s)', async (code) => {
    expect(await peers(null, dns({}, code))).toEqual([
      [500, `failed the initial dns/balancer resolve for 'up.test' with: getaddrinfo ${code} up.test`],
    ]);
  });
});

describe('of the targets of an upstream', () => {
  const gone = { target: 'gone.test:1' };
  const names = dns({ 'a.test': '192.0.2.1', 'b.test': '192.0.2.2' });

  test('those whose names have no address are left out, whatever their weight', async () => {
    const targets = [{ ...gone, weight: 1000 }, { target: 'a.test:1' }, { target: 'b.test:2' }];
    expect((await peers(targets, names, 4)).sort()).toEqual([
      '192.0.2.1:1',
      '192.0.2.1:1',
      '192.0.2.2:2',
      '192.0.2.2:2',
    ]);
  });

  test.each([
    ['has an address', [gone, { target: 'gone2.test:1' }]],
    ['has weight', [{ target: 'a.test:1', weight: 0 }]],
    ['is there', []],
  ])('none %s: a 503 of the ring', async (_what, targets) => {
    expect(await peers(targets, names)).toEqual([[503, 'failure to get a peer from the ring-balancer']]);
  });
});
