import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Delivery, DeliveryNotice } from '../../../src/console/api/types.ts';
import { change, emptyDraft, valueOf } from '../../../src/console/model/draft.ts';
import { filterOf, pathsOf, rowsOf } from '../../../src/console/model/filter-rows.ts';
import { handlersOf } from '../../../src/console/model/handler-schema.ts';
import { mergeRows, mostLiveRows } from '../../../src/console/model/live-rows.ts';
import { parseJson } from '../../../src/console/text/exact-json.ts';
import { endpoints } from '../../../src/event-hooks/admin/endpoints.ts';
import { openApiDocument } from '../../../src/event-hooks/admin/openapi.ts';
import { handlerKinds } from '../../../src/event-hooks/handlers/kinds.ts';
import { filterSchema } from '../../../src/event-hooks/model/schema.ts';

describe('a filter as rows', () => {
  const scalar = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null));
  const condition = fc.record(
    {
      eq: scalar,
      ne: scalar,
      in: fc.array(scalar, { minLength: 1 }),
      gt: fc.integer(),
      exists: fc.boolean(),
      contains: fc.string(),
      starts_with: fc.string(),
    },
    { requiredKeys: [] },
  );
  const path = fc.stringMatching(/^[a-z]+(\.[a-z]+)*$/);

  it('comes back from them as it was', () => {
    fc.assert(
      fc.property(fc.dictionary(path, condition), (filter) => {
        const said = Object.entries(filter).filter(([, one]) => Object.keys(one).length > 0);
        const expected = said.length === 0 ? undefined : { ...Object.fromEntries(said) };
        expect(filterOf(rowsOf(filter))).toEqual(expected);
      }),
    );
  });
  it('takes a bare value for equality, and text for numbers and words only where it is not quoted', () => {
    const rows = rowsOf({ a: 5, b: '5', c: 'x, y', d: true });
    expect(rows.map(({ operator, value }) => [operator, value])).toEqual([
      ['eq', '5'],
      ['eq', '"5"'],
      ['eq', '"x, y"'],
      ['eq', 'true'],
    ]);
    expect(filterOf([{ path: 'a', operator: 'in', value: '1, two, "3", "x, y"' }])).toEqual({
      a: { in: [1, 'two', '3', 'x, y'] },
    });
  });
  it('is one that the dispatcher takes', () => {
    const rows = [
      { path: 'entity.username', operator: 'starts_with', value: '5' },
      { path: 'n', operator: 'gte', value: '10' },
      { path: 'n', operator: 'lt', value: '20' },
      { path: '', operator: 'eq', value: 'not said yet' },
    ];
    expect(filterSchema.parse(filterOf(rows))).toEqual({
      'entity.username': { starts_with: '5' },
      n: { gte: 10, lt: 20 },
    });
  });
  it('offers the paths of a payload, a bounded number of them', () => {
    expect(pathsOf({ a: { b: 1, c: [1] }, d: null })).toEqual(['a.b', 'a.c', 'd']);
    expect(pathsOf(parseJson('{"n":12345678901234567890}'))).toEqual(['n']);
    expect(
      pathsOf(Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`f${String(n)}`, n]))),
    ).toHaveLength(200);
  });
});

describe('the form of a handler', () => {
  const specs = handlersOf(openApiDocument(handlerKinds, endpoints));
  it("has every kind and field of the API's document, with a widget for each", () => {
    expect(specs.map(({ name }) => name)).toEqual(handlerKinds.names);
    for (const { name, fields } of specs) {
      const known = Object.keys(handlerKinds.get(name)?.config.shape ?? {});
      expect(fields.map((field) => field.name)).toEqual(known);
    }
    const shapes = Object.fromEntries(
      specs.flatMap(({ fields }) => fields.map((one) => [one.name, one.shape])),
    );
    expect(shapes).toMatchObject({
      url: 'text',
      headers: 'map',
      ssl_verify: 'boolean',
      signature: 'choice',
      functions: 'list',
      payload: 'map',
      body: 'text',
    });
  });
  it('changes one field of a draft, and takes it away', () => {
    const draft = change(emptyDraft('webhook'), 'config.url', 'http://a');
    expect(valueOf(draft, 'config.url')).toBe('http://a');
    expect(change(draft, 'config.url', undefined).config).toEqual({});
    expect(change(draft, 'rate', 5)).toMatchObject({ rate: 5, config: { url: 'http://a' } });
  });
});

describe('rows that change while they are looked at', () => {
  const notice = (n: number, attempts = 1): DeliveryNotice => ({
    id: `e${String(n)}_h`,
    event_hook: { id: 'h' },
    source: 's',
    event: 'e',
    at: n,
    state: attempts > 1 ? 'delivered' : 'waiting',
    attempts,
    status: 200,
    latency_ms: 1,
    error: null,
  });
  it('change in their place, and new ones come first', () => {
    const rows = mergeRows([], [notice(1), notice(2)]);
    expect(rows.map(({ event_id: id }) => id)).toEqual(['e2', 'e1']);
    const next = mergeRows(rows, [notice(1, 2), notice(3)]);
    expect(next.map(({ event_id: id, state }) => [id, state])).toEqual([
      ['e3', 'waiting'],
      ['e2', 'waiting'],
      ['e1', 'delivered'],
    ]);
  });
  it('stay a bounded number', () => {
    const many = Array.from({ length: 3 * mostLiveRows }, (_, n) => notice(n));
    expect(mergeRows([] as Delivery[], many)).toHaveLength(mostLiveRows);
  });
});
