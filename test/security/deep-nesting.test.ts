import { expect, it } from 'vitest';
import { bench } from '../event-hooks/support/setup.ts';

const json = 'application/json';
const form = 'application/x-www-form-urlencoded';
const deep = (open: string, close: string, inner = '1'): string =>
  open.repeat(10_000) + inner + close.repeat(10_000);

const cases: [what: string, type: string, payload: string][] = [
  ['objects in objects', json, deep('{"a":', '}')],
  ['arrays in arrays', json, deep('[', ']')],
  ['objects below config', json, `{"source":"s","handler":"log","config":${deep('{"a":', '}')}}`],
  [
    'arrays below headers',
    json,
    `{"source":"s","handler":"webhook","config":{"url":"http://127.0.0.1:1","headers":${deep('[', ']')}}}`,
  ],
  ['arrays and objects without an end', json, '[{"a":'.repeat(10_000)],
  ['keys of a form', form, `source=s&handler=log&config${'[a]'.repeat(10_000)}=1`],
  ['keys of a form, with dots', form, `source=s&handler=log&config${'.a'.repeat(10_000)}=1`],
  ['lists of a form', form, `source=s&handler=log&config${'[]'.repeat(10_000)}=1`],
  ['numbers of a list in a form', form, 'source=s&handler=log&config[999999999]=1'],
  [
    'names of every object',
    json,
    '{"source":"s","handler":"log","config":{"__proto__":{"a":1}},"constructor":{"prototype":{}}}',
  ],
  [
    'the same in a form',
    form,
    'source=s&handler=log&config[__proto__][a]=1&config.constructor.prototype.a=1',
  ],
];

it('what is nested too deep for a hook is refused, and nobody waits for it', async () => {
  const b = await bench();
  for (const [what, type, payload] of cases) {
    for (const [method, url] of [
      ['POST', '/event-hooks'],
      ['PUT', '/event-hooks/7e4fbb0c-8bd0-4a43-9a0a-1a2b3c4d5e6f'],
    ] as const) {
      const { statusCode } = await b.admin.inject({
        method,
        url,
        headers: { 'content-type': type },
        payload,
      });
      expect(statusCode, `${method} ${what}`).toBe(400);
    }
  }
  expect(({} as { a?: unknown }).a).toBeUndefined();
  expect((await b.api<{ data: unknown[] }>('GET', '/event-hooks')).body.data).toEqual([]);
});
