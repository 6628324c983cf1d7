import { expect, it } from 'vitest';
import { testPlugin } from 'kong-ts/testing';
import type { BodyDescription } from 'kong-ts/testing';
import plugin from './graphql-cost.ts';

async function ask(body: BodyDescription | undefined, request: Record<string, unknown> = {}) {
  await using t = await testPlugin(plugin, {
    config: { max_cost: 100, max_depth: 4 },
    request: {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body }),
      ...request,
    },
  });
  const { exit, response } = await t.access();
  return exit === null ? Number(response?.headers['x-graphql-cost']) : `${String(exit.status)} ${exit.text}`;
}

it.each([
  ['{ a b }', 2],
  ['{ users(first: 10) { name mail } }', 21],
  ['{ a: users(first: 5) { name } b: users(last: 5) { name } }', 12],
  ['query { ...F } fragment F on Query { a b }', 3],
  ['query A { a } query B { b c }', 3],
  ['{ users(first: -5) { name } }', 2],
])('counts %s as %i', async (query, cost) => {
  expect(await ask({ query })).toBe(cost);
});

it('reads the size of a list from the variables, and fears the worst where it cannot', async () => {
  const query = 'query($n: Int) { users(first: $n) { name } }';
  expect(await ask({ query, variables: { n: 7 } })).toBe(8);
  for (const variables of [{}, { n: 'x' }, { n: 1e9 }, null])
    expect(await ask({ query, variables })).toMatch(/^400 .*costs/);
});

it.each([
  ['lists in lists', { query: '{ a(first: 50) { b(first: 50) { c } } }' }],
  ['too deep', { query: '{ a { b { c { d { e } } } } }' }],
  ['a fragment in itself', { query: '{ ...A } fragment A on T { ...A }' }],
  ['many aliases', { query: `{ ${Array.from({ length: 101 }, (_, at) => `a${String(at)}: a`).join(' ')} }` }],
  [
    'a bomb of fragments',
    {
      query: `{ ...F0 } ${Array.from({ length: 20 }, (_, at) => `fragment F${String(at)} on T { ...F${String(at + 1)} ...F${String(at + 1)} }`).join(' ')} fragment F20 on T { a }`,
    },
  ],
  ['an unknown fragment', { query: '{ ...Nobody }' }],
  ['no GraphQL', { query: '{' }],
  ['more tokens than a query has', { query: `{ ${'a '.repeat(6000)} }` }],
  ['a batch', [{ query: '{ a }' }]],
  ['no query', { id: 'persisted' }],
])('refuses %s', async (_what, body) => {
  expect(await ask(body)).toMatch(/^400 /);
});

it('refuses GET, a second query beside the body, and what it cannot read', async () => {
  expect(await ask({ query: '{ a }' }, { query: 'query={b}' })).toMatch(/^400 /);
  expect(await ask({ query: '{ a }' }, { headers: { 'content-type': 'text/plain' } })).toMatch(/^400 /);
  expect(await ask(undefined, { method: 'GET', query: 'query={a}' })).toMatch(/^400 /);
});

it('hands on what it has counted, and nothing that a second reader could see otherwise', async () => {
  await using t = await testPlugin(plugin, {
    request: {
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=utf-7' },
      body: '{"query":"{ a }","Query":"{ b }","operationName":null,"variables":{"id":12345678901234567890},"query":"{ c }"}',
    },
  });
  const { upstream } = await t.access();
  expect(upstream?.text).toBe(
    '{"query":"{ c }","variables":{"id":12345678901234567890},"operationName":null}',
  );
  expect(upstream?.headers['content-type']).toBe('application/json');
});

it.each(['1031', null])('refuses a body that is too long, of declared length %s', async (length) => {
  const headers: Record<string, string | null> = {
    'content-type': 'application/json',
    'content-length': length,
  };
  await using t = await testPlugin(plugin, {
    config: { max_bytes: 1000 },
    request: { method: 'POST', body: JSON.stringify({ query: `{ a }${' '.repeat(1000)}` }) },
    override: { 'request.getHeader': (name) => headers[String(name)] ?? null },
  });
  expect((await t.access()).exit?.status).toBe(413);
});
