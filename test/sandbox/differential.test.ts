import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { differencesOf, expectedOf } from '../../scripts/differential/difference.ts';
import { documentedDifferences } from '../../scripts/differential/documented.ts';
import type { Exchange } from '../../scripts/differential/exchange.ts';
import { firstSet } from '../../scripts/differential/first-set.ts';
import type { Observation } from '../../scripts/differential/observe.ts';
import { observeAll } from '../../scripts/differential/observe.ts';
import type { Gateway } from '../../scripts/gateways/gateway.ts';
import { sandboxGateway } from '../../scripts/gateways/sandbox-gateway.ts';

// A gateway has one configuration at a time, and an exchange waits for most of its time: several of them share the set.
// The last five leave requests behind that wait: each gateway has one of them, at its end.
let gateways: readonly Gateway[] = [];
beforeAll(async () => {
  gateways = await Promise.all(Array.from({ length: 5 }, () => sandboxGateway()));
});
afterAll(async () => {
  await Promise.all(gateways.map((gateway) => gateway.close()));
});

async function observed(exchanges: readonly Exchange[]): Promise<Map<Exchange, Observation>> {
  const found = new Map<Exchange, Observation>();
  await Promise.all(
    gateways.map(async (gateway, number) => {
      const share = exchanges.filter((_, at) => at % gateways.length === number);
      await observeAll(gateway, share, (exchange, seen) => found.set(exchange, seen));
    }),
  );
  return found;
}

test('the sandbox differs from Kong 3.9.3 in what docs/sandbox.md lists, and in nothing else of the first set', async () => {
  const seen = await observed(firstSet);
  expect(seen.size).toBe(firstSet.length);
  const different = [...seen].flatMap(([exchange, seen]) =>
    differencesOf(exchange.kong, seen).map((difference) => ({ id: exchange.id, ...difference })),
  );
  const documented = documentedDifferences();
  expect(different.filter(({ id }) => !documented.includes(id))).toEqual([]);
  // What does not differ any more is not a line of the list.
  expect(documented.filter((id) => !different.some((each) => each.id === id))).toEqual([]);
}, 120_000);

test('exchanges have ids of their own, and each says what Kong did', () => {
  expect(new Set(firstSet.map(({ id }) => id)).size).toBe(firstSet.length);
  for (const { id, kong } of firstSet) expect([id, Object.keys(kong).length]).not.toEqual([id, 0]);
});

describe('a difference', () => {
  const exchange: Exchange = {
    id: 'x',
    class: 1,
    script: { access: [['kong.response.set_header', 'x-a', 'b']] },
    request: ['GET /path HTTP/1.1'],
    kong: {},
  };
  let seen: Observation;
  beforeAll(async () => {
    seen = [...(await observed([exchange])).values()][0] as Observation;
  });

  test('is found in status, headers, bodies, records, requests of the upstream and calls', () => {
    const kinds = differencesOf(
      {
        status: 201,
        reason: 'Created',
        headers: { 'x-a': 'c', 'x-upstream': null },
        body: 'other',
        raw: /^nothing$/,
        order: ['via', 'date', 'x-a'],
        sizeAsSent: true,
        record: { 'response.status': 201, 'route.name': 'other' },
        upstreamRequests: 2,
        upstream: { line: 'GET /', headers: { via: null }, body: 'x' },
        calls: { 'kong.response.set_header': { failed: true } },
        timing: 'none',
        config: 'refused',
      },
      seen,
    ).map(({ kind, place }) => `${kind} ${place}`.trim());
    expect(kinds).toEqual([
      'config',
      'timing',
      'status',
      'reason',
      'body',
      'body as it came',
      'header order',
      'number of upstream requests',
      'header x-a',
      'header x-upstream',
      'record field response.status',
      'record field route.name',
      'upstream request line',
      'upstream request body',
      'upstream request via',
      'PDK call kong.response.set_header',
    ]);
  });

  test('is none between a gateway and itself, whatever ids and times there are', async () => {
    const again = [...(await observed([exchange])).values()][0] as Observation;
    expect(differencesOf(expectedOf(seen), again)).toEqual([]);
    expect(expectedOf(seen)).toMatchObject({
      status: 200,
      headers: { 'x-a': 'b' },
      upstreamRequests: 1,
      record: { 'route.name': 'all' },
    });
  });
});

test('a line of the list is known by its id', () => {
  const text =
    'a\n\n## What the first set still finds\n\n| `some-id` | why |\n\n## Else\n\n| `other` | x |\n';
  expect(documentedDifferences(text)).toEqual(['some-id']);
});
