import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Listening } from '../../support/listen.ts';
import { listen } from '../../support/listen.ts';
import { createAdminApi } from '../../../src/sandbox/admin/index.ts';
import { createEntityStore } from '../../../src/kong-end/entities/index.ts';
import type { KnownPlugin } from '../../../src/kong-end/entities/index.ts';

interface Body {
  [key: string]: unknown;
}
interface Exchange {
  request: { method: string; path: string; body?: Body };
  response: { status: number; headers?: Record<string, string | null>; body: Body | string };
}

const recording = JSON.parse(
  readFileSync(new URL('../../fixtures/kong/admin-api-3.9.3.json', import.meta.url), 'utf8'),
) as { exchanges: Exchange[] };
const { exchanges } = recording;

function recorded(path: string): Body {
  const exchange = exchanges.find(({ request }) => request.method === 'GET' && request.path === path);
  return exchange?.response.body as Body;
}

const httpLog: KnownPlugin = {
  name: 'http-log',
  version: '3.9.3',
  priority: 12,
  phases: ['log'],
  schema: { name: 'http-log', ...recorded('/schemas/plugins/http-log') } as unknown as KnownPlugin['schema'],
};

/** Answers that are facts of the node that was recorded, and what is compared instead. */
const differences: Record<string, { reason: string; compare: (actual: Body, wanted: Body) => void }> = {
  'GET /status': {
    reason:
      'numbers of the running process; the sandbox has no shared dictionaries but the two that are always there',
    compare: (actual, wanted) => {
      expect(Object.keys(actual).sort()).toEqual(Object.keys(wanted).sort());
      expect(actual['database']).toEqual(wanted['database']);
      expect(Object.keys(actual['server'] as Body).sort()).toEqual(
        Object.keys(wanted['server'] as Body).sort(),
      );
      expect(Object.keys(actual['memory'] as Body).sort()).toEqual(
        Object.keys(wanted['memory'] as Body).sort(),
      );
    },
  },
  'GET /endpoints': {
    reason: 'endpoints of plugins, vaults, keys, filters and debugging, which the sandbox does not have',
    compare: (actual, wanted) => {
      const list = actual['data'] as string[];
      expect(wanted['data']).toEqual(expect.arrayContaining(list));
      expect((wanted['data'] as string[]).filter((path) => list.includes(path))).toEqual(list);
      const missing = (wanted['data'] as string[]).filter((path) => !list.includes(path));
      const absent =
        /^\/(acls|acme|acme_storage|basic-auths|ca_certificates|cache|clustering|debug|filter-chains|hmac-auths|jwts|key-sets|keys|metrics|oauth2|oauth2_tokens|proxy-cache|schemas\/(filters|vaults)|sessions|status\/dns|timers|vaults)(\/|$)|\/(acls|basic-auth|hmac-auth|jwt|oauth2|oauth2_tokens|filter-chains|filters)(\/|$)/;
      expect(missing.filter((path) => !absent.test(path))).toEqual([]);
    },
  },
  'GET /plugins/enabled': {
    reason: 'the plugins of the recorded node',
    compare: (actual) => expect(actual).toEqual({ enabled_plugins: ['http-log', 'key-auth'] }),
  },
  'GET /schemas/services': {
    reason: "without the descriptions, which are Kong's documentation",
    compare: (actual, wanted) => expect(actual).toEqual(withoutDescriptions(wanted)),
  },
  'GET /': {
    reason: 'facts of the recorded node',
    compare: (actual, wanted) => {
      expect(Object.keys(actual).sort()).toEqual(Object.keys(wanted).sort());
      for (const key of ['version', 'edition', 'tagline', 'lua_version', 'node_id']) {
        expect(actual[key]).toEqual(wanted[key]);
      }
      expect(actual['plugins']).toEqual({
        available_on_server: {
          'http-log': { version: '3.9.3', priority: 12 },
          'key-auth': { version: '3.9.3', priority: 1250 },
        },
        enabled_in_cluster: ['http-log'],
      });
      expect((actual['configuration'] as Body)['database']).toBe('postgres');
    },
  },
};

function withoutDescriptions(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDescriptions);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== 'description')
      .map(([key, item]) => [key, withoutDescriptions(item)]),
  );
}

/** What was there when the recording went on after its first service, but was not recorded being made. */
const unrecorded = [
  ...(recorded('/services?size=2')['data'] as Body[]),
  ...(recorded('/services?offset=WyI0YTk3MmJlNC05ZWIxLTQxNGEtYjY5MS0xOTkzMTllNDcxOWUiXQ&size=2')[
    'data'
  ] as Body[]),
  { name: 'svc1', host: '127.0.0.1', id: 'ffffffff-0000-4000-8000-000000000001' },
].filter(({ name }) => name !== 'svc0');

describe("the sandbox's Admin API answers the recorded requests as Kong 3.9.3 did", () => {
  let server: Listening;
  let base: string;
  let seconds = 0;
  let nextId = '';
  beforeAll(async () => {
    server = await listen(
      createAdminApi({
        store: createEntityStore([httpLog]),
        known: () => [httpLog],
        nodeId: recorded('/')['node_id'] as string,
        health: () => 'UNHEALTHY',
        now: () => seconds * 1000,
        uuid: () => nextId,
      }),
    );
    base = server.url;
  });
  afterAll(() => server.close());

  async function call(method: string, path: string, body?: Body): Promise<Response> {
    return fetch(base + path, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
  }

  test.each(
    exchanges.map(
      (exchange, index) => [index, `${exchange.request.method} ${exchange.request.path}`, exchange] as const,
    ),
  )('%i: %s', async (index, name, { request, response }) => {
    const wanted = response.body;
    if (typeof wanted === 'object') {
      // The recorded clock and ids, so that answers can be compared as they are.
      if (typeof wanted['id'] === 'string') nextId = wanted['id'];
      if (typeof wanted['updated_at'] === 'number') seconds = wanted['updated_at'];
      else if (typeof wanted['created_at'] === 'number') seconds = wanted['created_at'];
    }
    const answer = await call(request.method, request.path, request.body);
    expect(answer.status).toBe(response.status);
    if (response.headers !== undefined) {
      expect(answer.headers.get('content-type')).toBe(response.headers['content-type']);
    }
    expect(answer.headers.get('server')).toBe('kong/3.9.3');
    expect(answer.headers.get('x-kong-admin-latency')).toMatch(/^\d+$/);
    const text = await answer.text();
    const difference = differences[name];
    if (difference !== undefined) difference.compare(JSON.parse(text) as Body, wanted as Body);
    else if (typeof wanted === 'string') expect(text).toBe(wanted);
    else expect(JSON.parse(text)).toEqual(wanted);
    if (index === 2) {
      for (const service of unrecorded) expect((await call('POST', '/services', service)).status).toBe(201);
    }
  });

  test('every difference has its reason and is of a recorded request', () => {
    const names = new Set(exchanges.map(({ request }) => `${request.method} ${request.path}`));
    for (const [name, { reason }] of Object.entries(differences)) {
      expect(names).toContain(name);
      expect(reason).not.toBe('');
    }
  });
});
