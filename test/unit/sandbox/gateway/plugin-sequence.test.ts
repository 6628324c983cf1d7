import { expect, test } from 'vitest';
import { loadDeclarativeObject } from '../../../../src/kong-end/declarative/index.ts';
import { ConfigState } from '../../../../src/sandbox/gateway/config-state.ts';
import type { PluginHandler } from '../../../../src/kong-end/request/exchange.ts';
import type { KnownPlugin } from '../../../../src/kong-end/entities/index.ts';
import { createEntityStore } from '../../../../src/kong-end/entities/index.ts';

const known: KnownPlugin[] = ['one', 'two'].map((name) => ({
  name,
  phases: ['access'],
  version: '1.0.0',
  priority: 1,
  schema: { name, fields: [{ config: { type: 'record', fields: [{ n: { type: 'integer' } }] } }] },
}));
const document = (n: number, path = '/a') => ({
  _format_version: '3.0',
  services: [{ name: 's', url: 'http://127.0.0.1:1', routes: [{ name: 'r', paths: [path] }] }],
  plugins: [
    { name: 'one', config: { n } },
    { name: 'two', config: { n: 1 } },
  ],
});

/** The sequence numbers by plugin after each configuration. */
function sequences(...documents: Record<string, unknown>[]): Record<string, number>[] {
  const store = createEntityStore(known);
  const handlers = known.map(({ name, priority }) => ({ name, priority })) as unknown as PluginHandler[];
  const log = { write: () => undefined } as never;
  const state = new ConfigState(store, () => handlers, log);
  const all: Record<string, number>[] = [];
  for (const each of documents) {
    store.replaceWith(loadDeclarativeObject(each, known));
    all.push(Object.fromEntries(state.table.globals('http').map(({ entity, seq }) => [entity.name, seq])));
  }
  state.close();
  return all;
}

test('a configuration that is loaded gives every plugin a new number, also those that are as before', () => {
  const [first, second, third] = sequences(document(1), document(2), document(2));
  for (const [before, after] of [
    [first, second],
    [second, third],
  ]) {
    expect(Object.keys(after ?? {}).toSorted()).toEqual(['one', 'two']);
    for (const name of ['one', 'two']) expect(after?.[name]).toBeGreaterThan(before?.[name] ?? 0);
  }
});

test('a change of something else leaves the numbers alone where entities are written one by one', () => {
  const store = createEntityStore(known);
  const handlers = known.map(({ name, priority }) => ({ name, priority })) as unknown as PluginHandler[];
  store.replaceWith(loadDeclarativeObject(document(1), known));
  const state = new ConfigState(store, () => handlers, { write: () => undefined } as never);
  const before = state.table.globals('http').map(({ seq }) => seq);
  const [service] = store.snapshot().services;
  store.change(() => store.table('services').put({ ...service, id: service?.id ?? '', retries: 1 }));
  expect(state.table.globals('http').map(({ seq }) => seq)).toEqual(before);
  state.close();
});
