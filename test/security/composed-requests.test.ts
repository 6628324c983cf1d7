import { describe, expect, it } from 'vitest';
import { composer } from '../../src/event-hooks/handlers/webhook-custom.ts';
import { bench } from '../event-hooks/support/setup.ts';

const custom = (url: string, config: object) => ({
  source: 's',
  handler: 'webhook-custom',
  config: { url, method: 'POST', ...config },
});

describe('a request that a hook composes', () => {
  it.each([
    [
      'fields',
      { payload: Object.fromEntries(Array.from({ length: 3000 }, (_, n) => [`f${String(n)}`, '{* x *}'])) },
    ],
    [
      'headers',
      {
        headers_format: true,
        headers: Object.fromEntries(Array.from({ length: 3000 }, (_, n) => [`x-${String(n)}`, '{* x *}'])),
      },
    ],
    ['a body', { body: '{* x *}'.repeat(400) }],
    [
      'a form',
      {
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        payload: Object.fromEntries(Array.from({ length: 3000 }, (_, n) => [`f${String(n)}`, '{{ x }}'])),
      },
    ],
  ])('of many %s has one budget: it is refused before it takes memory', async (_what, config) => {
    const b = await bench();
    const hook = await b.hook(custom(b.receiver.url('/x'), config));
    const before = process.memoryUsage().rss;
    const { body } = await b.api<{ result: unknown }>('POST', `/event-hooks/${hook.id}/test`, {
      x: 'x'.repeat(200_000),
    });
    expect(body.result).toEqual({
      error: 'The request (URL, headers, fields and body) is larger than 1048576 characters.',
    });
    expect(process.memoryUsage().rss - before).toBeLessThan(200e6);
    expect(b.receiver.at('/x')).toEqual([]);
  });

  it('with thousands of headers, or with characters that no header can hold, is answered or fails by itself', async () => {
    const b = await bench();
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`x-${String(n)}`, 'v']));
    await b.hook(custom(b.receiver.url('/many'), { headers: many }));
    await b.hook(
      custom(b.receiver.url('/odd'), { headers_format: true, headers: { 'x-a': 'ключ {{ x }}' } }),
    );
    b.hub.emit('s', 'e', { x: 'é\u0001€' });
    const [odd] = await b.receiver.until('/odd', 1);
    expect(Buffer.from(String(odd?.headers['x-a']), 'latin1').toString()).toBe('ключ é€');
    await b.settled();
  });

  it('as a form is percent-encoded, not escaped for HTML', async () => {
    const b = await bench();
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    await b.hook(custom(b.receiver.url('/f'), { headers: form, payload: { a: '<{{ x }}>', b: '{* x *}' } }));
    await b.hook(custom(b.receiver.url('/g'), { headers: form, body: 'a={{ x }}&b={* raw *}' }));
    b.hub.emit('s', 'e', { x: `a&b='"<é /`, raw: '1&c=2' });
    const [fields] = await b.receiver.until('/f', 1);
    const [body] = await b.receiver.until('/g', 1);
    const read = (text: string | undefined): unknown => Object.fromEntries(new URLSearchParams(text));
    expect(read(fields?.body)).toEqual({ a: `<a&b='"<é />`, b: `a&b='"<é /` });
    expect(read(body?.body)).toEqual({ a: `a&b='"<é /`, b: '1', c: '2' });
  });

  it.each([
    [{ body: 'a {% if x then %} b' }, 'body'],
    [{ payload: { a: '{%' } }, 'payload'],
    [{ secret: 'whsec_' }, 'secret'],
    [{ secret: 'whsec_not base64!' }, 'secret'],
    [{ secret: 'whsec_abcde' }, 'secret'],
    [{ secret: 'whsec_AAAA=' }, 'secret'],
    [{ secret: 'whsec_AA=' }, 'secret'],
    [{ secret: 'whsec_AAA==' }, 'secret'],
    [{ secret: 'whsec_AAAA==' }, 'secret'],
    [{ previous_secrets: ['whsec_%%'] }, 'previous_secrets'],
    [{ headers: { a: 'b\u0001' } }, 'headers'],
  ])('that could not be what is meant is refused: %j', async (config, field) => {
    const b = await bench();
    const answer = await b.api<{ fields: { config: Record<string, unknown> } }>(
      'POST',
      '/event-hooks',
      custom('http://127.0.0.1:1/', config),
    );
    expect(answer.status).toBe(400);
    expect(Object.keys(answer.body.fields.config)).toEqual([field]);
  });
});

it.each([
  'application/json',
  'APPLICATION/JSON; charset=x',
  'application/problem+json',
  'text/json',
  'Text/JSON',
])('a value stays within its place in a body of %s', (type) => {
  const config = {
    ...{ url: 'http://127.0.0.1:1/', method: 'POST', headers: { 'content-type': type }, secret: null },
    ...{ ssl_verify: true, headers_format: false, payload: null, payload_format: true, body_format: true },
    body: '{"a":"{{ a }}","b":"{{ b }}"}',
  };
  const data = { a: 'ends with \\', b: ':1,"admin":true,"c":"\n' };
  const { body } = composer(config)(JSON.stringify(data));
  expect(JSON.parse(String(body))).toEqual(data);
});
