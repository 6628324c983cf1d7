import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Received } from '../event-hooks/support/receiver.ts';
import { Mask } from '../../src/event-hooks/model/mask.ts';
import { bench } from '../event-hooks/support/setup.ts';

/** Every credential that a hook can hold, each in a place of its own. */
const words = {
  secret: 'signing-secret-1',
  previous: 'earlier-secret-2',
  header: 'x-auth-value-3',
  bearer: 'bearer-word-4',
  short: 'k5-e',
  query: 'query/value=6',
  password: 'pass"wörd-7',
  path: 'T0000008XYZabc',
  basic: 'basic-word-9',
};
const config = {
  secret: words.secret,
  previous_secrets: [words.previous],
  headers: {
    'X-Auth': words.header,
    'X-Whatever': `Bearer ${words.bearer}`,
    'X-Short': words.short,
    'X-Basic': `Basic ${Buffer.from(`me:${words.basic}`).toString('base64')}`,
    'X-Empty': '',
    'Content-Type': 'application/vnd.x+json',
  },
};

const inHtml = (text: string): string =>
  text.replace(/[^ ]/gu, (one) => `&#x${(one.codePointAt(0) ?? 0).toString(16)};`);
const inJson = (text: string): string =>
  text.replace(/[^ ]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
const said = Object.values(words).join(' ');
const echoes: [string, (request: Received) => string][] = [
  ['as they are', () => said],
  ['as JSON', () => JSON.stringify(said)],
  ['as JSON in JSON', () => JSON.stringify(JSON.stringify({ said }))],
  ['in escapes of JSON', () => inJson(said)],
  ['percent-encoded', () => said.split(' ').map(encodeURIComponent).join(' ')],
  [
    'twice',
    () =>
      said
        .split(' ')
        .map((one) => encodeURIComponent(encodeURIComponent(one)))
        .join(' '),
  ],
  ['in entities', () => inHtml(said)],
  ['as a form', () => new URLSearchParams(Object.entries(words)).toString()],
  [
    'as base64',
    () =>
      said
        .split(' ')
        .map((one) => Buffer.from(one).toString('base64'))
        .join(' '),
  ],
  ['as the request has them', ({ path, headers }) => `${path}\n${JSON.stringify(headers)}`],
  ['at the end of what is kept', () => `${'x'.repeat(1024 - 10)}${words.header}`],
  ['cut off within an escape', () => `${'x'.repeat(1024 - 45)}${inJson(words.header)}`],
];

/** What nobody may read: each word, and a good part of it, as it is or in what it was turned into. */
function found(text: string): string[] {
  const texts = [text];
  for (let level = 0; level < 3; level += 1) {
    const last = texts.at(-1) ?? '';
    texts.push(
      last
        .replace(/\\u([0-9a-f]{4})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
        .replace(/&#x([0-9a-f]+);/gi, (_, code: string) => String.fromCodePoint(Number.parseInt(code, 16)))
        .replace(/\\(["\\])/g, '$1')
        .replace(/(?:%[0-9a-f]{2})+/gi, (bytes) => Buffer.from(bytes.replaceAll('%', ''), 'hex').toString()),
    );
  }
  return Object.values(words).flatMap((word) => {
    const base64 = Buffer.from(word).toString('base64').slice(0, 8);
    const parts = [word.slice(0, 7), ...(word.length < 8 ? [] : [base64])];
    return parts.filter((part) => texts.some((one) => one.includes(part)));
  });
}

describe('a target that sends back what it was sent', () => {
  it.each(echoes)('leaves none of it in records, lists, notices, logs and tests: %s', async (_name, echo) => {
    const b = await bench({ retrySchedule: [] });
    b.receiver.answer = (request, response) => {
      response.writeHead(500, {
        'set-cookie': words.bearer,
        'x-echo': words.header,
        'x-request-id': words.path,
        location: `http://127.0.0.1/?a=${encodeURIComponent(words.query)}`,
      });
      response.end(echo(request));
    };
    const target = new URL(b.receiver.url(`/${words.path}/x`));
    target.username = 'me';
    target.password = words.password;
    target.searchParams.set('q', words.query);
    const notices: unknown[] = [];
    b.dispatcher.feed.tail((notice) => notices.push(notice));
    const hook = await b.hook({
      source: 's',
      event: 'e',
      handler: 'webhook',
      config: { ...config, url: target.href },
    });
    await b.api('POST', '/event-hooks/events', { source: 's', event: 'e', data: {}, id: 'event-1' });
    await b.settled();
    const list = await b.api('GET', `/event-hooks/${hook.id}/deliveries`);
    const one = await b.api('GET', `/event-hooks/deliveries/event-1_${hook.id}`);
    const test = await b.api('POST', `/event-hooks/${hook.id}/test`, {});
    expect(one.body).toMatchObject({ status: 500 });
    expect(JSON.stringify(list.body)).toContain('***');
    expect(
      found(
        [list.body, one.body, test.body, notices, b.log.lines].map((all) => JSON.stringify(all)).join('\n'),
      ),
    ).toEqual([]);
  });

  it.each([
    ['its reason', `HTTP/1.1 500 ${words.header} ${words.bearer}\r\nContent-Length: 0\r\n\r\n`],
    ['a reason that HTTP cannot carry', `HTTP/1.1 500 ${words.header}\u0001\r\nContent-Length: 0\r\n\r\n`],
    ['a status that is none', `HTTP/1.1 ${words.header} X\r\n\r\n`],
    ['the name of a header', `HTTP/1.1 500 X\r\nX-${words.header}: a\r\nContent-Length: 0\r\n\r\n`],
    [
      'a header that is none',
      `HTTP/1.1 500 X\r\n${words.header} ${words.bearer}\r\nContent-Length: 0\r\n\r\n`,
    ],
    ['its type', `HTTP/1.1 500 X\r\nContent-Type: text/${words.header}\r\nContent-Length: 0\r\n\r\n`],
    ['its coding', `HTTP/1.1 500 X\r\nContent-Encoding: ${words.header}\r\nContent-Length: 2\r\n\r\nok`],
    ['a length that is none', `HTTP/1.1 500 X\r\nContent-Length: ${words.header}\r\n\r\n`],
    ['a trailer', `HTTP/1.1 500 X\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-A: ${words.header}\r\n\r\n`],
    [
      'the extension of a chunk',
      `HTTP/1.1 500 X\r\nTransfer-Encoding: chunked\r\n\r\n2;a=${words.header}\r\nok\r\n0\r\n\r\n`,
    ],
    ['the size of a chunk', `HTTP/1.1 500 X\r\nTransfer-Encoding: chunked\r\n\r\n${words.header}\r\n`],
    [
      'early hints',
      `HTTP/1.1 103 X\r\nLink: </${words.header}>\r\n\r\nHTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n`,
    ],
    ['Retry-After', `HTTP/1.1 503 X\r\nRetry-After: ${words.header}\r\nContent-Length: 0\r\n\r\n`],
    ['no HTTP', `${words.header} ${words.bearer}\r\n`],
  ])('in %s, too', async (_where, answer) => {
    const b = await bench({ retrySchedule: [] });
    const server = createServer((socket) => {
      socket.on('error', () => undefined).once('data', () => socket.end(Buffer.from(answer, 'latin1')));
    });
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`;
    const hook = await b.hook({ source: 's', handler: 'webhook', config: { ...config, url } });
    await b.api('POST', '/event-hooks/events', { source: 's', event: 'e', data: {}, id: 'event-1' });
    await b.settled();
    const one = await b.api('GET', `/event-hooks/deliveries/event-1_${hook.id}`);
    const test = await b.api('POST', `/event-hooks/${hook.id}/test`, {});
    expect(one.body).toMatchObject({ state: 'dead' });
    expect(found(JSON.stringify([one.body, test.body, b.log.lines]))).toEqual([]);
  });

  it('in other alphabets, and within what else is in them', () => {
    const secret = 'hunter2-Secret';
    const bytes = Buffer.from(secret);
    const hex = bytes.toString('hex').match(/../g) ?? [];
    const each = (write: (code: string) => string): string =>
      [...secret].map((one) => write(one.charCodeAt(0).toString(16).padStart(4, '0'))).join('');
    const around = (before: string, after: string): string =>
      Buffer.from(`${before}${secret}${after}`).toString('base64');
    const said = [
      ...['', 'a', 'ab', 'user:'].flatMap((before) =>
        ['', '!', '!?', '"}'].map((after) => around(before, after)),
      ),
      Buffer.from(`ab${secret}`).toString('base64url'),
      hex.join(' '),
      hex.join(':').toUpperCase(),
      each((code) => `%u${code}`),
      each((code) => `\\x${code.slice(2)}`),
      each((code) => `&#x000${code};`),
      Buffer.from(secret, 'utf16le').toString(),
      JSON.stringify({ auth: bytes }),
    ];
    const mask = new Mask([secret]);
    for (const text of said) {
      const shown = mask.apply(`<${text}>`);
      expect(shown, text).toContain('***');
      // What is left are the characters that others have a part in.
      expect(shown.replace(/[^]*?(.{0,8})\*\*\*(.{0,8})[^]*/, '$1$2').length, text).toBeLessThanOrEqual(16);
      expect(Buffer.from(shown.replace('***', ''), 'base64').toString('latin1'), text).not.toMatch(
        /hunt|cret/,
      );
    }
  });

  it('values of one to three characters are masked behind their names', async () => {
    const b = await bench({ retrySchedule: [] });
    b.receiver.answer = ({ headers, path }, response) => {
      const lines = [
        `X-Key: ${String(headers['x-key'])}`,
        JSON.stringify({ 'x-key': [headers['x-key']], other: 'abc' }),
        JSON.stringify(JSON.stringify({ 'X-Key': headers['x-key'] })),
        `HTTP_X_KEY=${String(headers['x-key'])}`,
        `X-Key:\r\n\t${String(headers['x-key'])}`,
        encodeURIComponent(`"x-key":"${String(headers['x-key'])}"`),
        `x-key&quot;: &quot;${String(headers['x-key'])}&quot;`,
        path,
        'x-keyboard: abc1, abcdef and a9',
      ];
      response.writeHead(400).end(lines.join('\n'));
    };
    const hook = await b.hook({
      source: 's',
      handler: 'webhook',
      config: { url: `${b.receiver.url('/p')}?pin=a9&x=1`, headers: { 'X-Key': 'abc' } },
    });
    await b.api('POST', '/event-hooks/events', { source: 's', event: 'e', data: {}, id: 'event-1' });
    await b.settled();
    const { body } = await b.api<{ response: string }>('GET', `/event-hooks/deliveries/event-1_${hook.id}`);
    expect(body.response.replaceAll('\r', '').split('\n')).toEqual([
      'X-Key: ***',
      '{"x-key":["***"],"other":"abc"}',
      JSON.stringify(JSON.stringify({ 'X-Key': '***' })),
      'HTTP_X_KEY=***',
      'X-Key:',
      '\t***',
      encodeURIComponent('"x-key":"___"').replace('___', '***'),
      'x-key&quot;: &quot;***&quot;',
      '/p?pin=***&x=***',
      'x-keyboard: abc1, abcdef and a9',
    ]);
  });

  it('Lua functions that say their own secrets in an error leave none of them', async () => {
    const b = await bench({ retrySchedule: [] });
    const source = `local password = 'hunter'
      local auth = { ["api_key"] = "k-one" }
      return function () error('no: ' .. password .. auth.api_key .. ' Bearer abcd1234efgh5678') end`;
    const hook = await b.hook({ source: 's', handler: 'lambda', config: { functions: [source] } });
    await b.api('POST', '/event-hooks/events', { source: 's', event: 'e', data: {}, id: 'event-1' });
    await b.settled();
    const one = await b.api('GET', `/event-hooks/deliveries/event-1_${hook.id}`);
    const test = await b.api('POST', `/event-hooks/${hook.id}/test`, {});
    const shown = JSON.stringify([one.body, test.body, b.log.lines]);
    expect(shown).toContain('no: ***');
    expect(shown).not.toMatch(/hunter|k-one|abcd1234/);
  });

  it('a ping says which headers there are, and only of harmless ones what they hold', async () => {
    const b = await bench();
    const hook = await b.hook({
      source: 's',
      handler: 'webhook',
      config: { ...config, url: `${b.receiver.url('/p')}?q=${words.header}` },
    });
    const ping = await b.api('GET', `/event-hooks/${hook.id}/ping`);
    expect(ping.body.event_hooks).toMatchObject({
      config: {
        url: `${b.receiver.url('/p')}?***`,
        headers: { 'X-Auth': '***', 'X-Short': '***', 'Content-Type': 'application/vnd.x+json' },
      },
    });
    expect(found(b.receiver.received.map(({ body }) => body).join('\n'))).toEqual([]);
  });

  it('tokens that a custom webhook writes into its bodies are not kept either', async () => {
    const b = await bench({ retrySchedule: [] });
    b.receiver.answer = ({ body }, response) => response.writeHead(400).end(`wrong: ${body}`);
    await b.hook({
      source: 's',
      handler: 'webhook-custom',
      config: {
        url: b.receiver.url('/c'),
        method: 'POST',
        headers: { 'X-Key': 'key-{{ n }}-words' },
        payload: { token: 'xoxb-123456789', text: 'Number {{ n }}' },
        payload_format: true,
      },
    });
    await b.api('POST', '/event-hooks/events', { source: 's', event: 'e', data: { n: 1 } });
    await b.settled();
    const [hook] = b.dispatcher.hooks.list();
    const list = await b.api<{ data: { response: string }[] }>(
      'GET',
      `/event-hooks/${hook?.id ?? ''}/deliveries`,
    );
    expect(list.body.data[0]?.response).toBe('wrong: {"token":"***","text":"Number 1"}');
  });
});
