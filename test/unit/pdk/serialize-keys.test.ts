import { expect, test } from 'vitest';
import { leadsThroughPlainValue } from '../../../src/pdk/serialize-keys.ts';
import { transcripts } from '../../conformance/transcripts/transcript.ts';

/** The records that a real Kong has given. */
const records = transcripts.flatMap(({ calls }) =>
  calls.flatMap((call) => {
    if (call.method !== 'kong.log.serialize') return [];
    const text = /"(\{\\"[^]*\})"/.exec(JSON.stringify(call))?.[1];
    return text === undefined ? [] : [JSON.parse(JSON.parse(`"${text}"`) as string) as object];
  }),
);

function* paths(value: object, above = ''): Generator<[path: string, plain: boolean]> {
  for (const [name, field] of Object.entries(value) as [string, unknown][]) {
    if (name.includes('.') || Array.isArray(value)) continue;
    const isTable = typeof field === 'object' && field !== null;
    yield [above + name, !isTable];
    if (isTable) yield* paths(field, `${above}${name}.`);
  }
}

test("below a plain value of Kong's own records no key is let through, and below an object every one", () => {
  expect(records.length).toBeGreaterThan(3);
  for (const record of records) {
    for (const [path, plain] of paths(record)) {
      // What a client or an upstream has sent twice is a list.
      if (/(?:headers|querystring)\./.test(path)) continue;
      expect([path, leadsThroughPlainValue(`${path}.x`), leadsThroughPlainValue(path)]).toEqual([
        path,
        plain,
        leadsThroughPlainValue(path),
      ]);
    }
  }
});

test.each([
  ['request.querystring.a.b', true],
  ['request.headers.x-a.b', true],
  ['response.headers.x-a.b', true],
  ['request.querystring.a', false],
  ['request.methods.a', false],
  ['request.method', false],
  ['my.request.method.a', false],
  ['consumer.mine.a', false],
  ['', false],
])('%s leads through what may be no object: %s', (key, through) => {
  expect(leadsThroughPlainValue(key)).toBe(through);
});
