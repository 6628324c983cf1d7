import { describe, expect, it } from 'vitest';
import { createKong } from '../../../src/pdk/index.ts';
import type { KongApi, Phase, Protocol } from '../../../src/pdk/index.ts';
import { FakeChannel } from './fake-channel.ts';

type Call = (kong: KongApi) => Promise<unknown>;
const json = { 'Content-Type': 'application/json; charset=utf-8' };
/** A value that TypeScript would not let through. */
const wrong = (value: unknown) => value as never;

/** The arguments with which a call ends the event; the answers are those of nginx's variables and getters. */
async function left(
  call: Call,
  given: { protocol?: Protocol; phase?: Phase; answers?: Record<string, unknown> } = {},
): Promise<readonly unknown[]> {
  const { protocol = 'protobuf', phase = 'access', answers = {} } = given;
  const answer = (name: string, args: readonly unknown[]): unknown =>
    answers[typeof args[0] === 'string' ? args[0] : name] ?? null;
  const channel = new FakeChannel(protocol, phase, answer);
  await expect(call(createKong(channel))).rejects.toMatchObject({ name: 'ExitSignal' });
  const last = channel.sent.at(-1);
  expect(last?.how).toBe('exit');
  return [last?.name, ...(last?.args ?? [])];
}

describe('kong.response.exit', () => {
  it('writes an object as JSON over ProtoBuf:1, with its Content-Type', async () => {
    expect(await left((kong) => kong.response.exit(403, { message: 'no' }))).toEqual([
      'kong.response.exit',
      403,
      '{"message":"no"}',
      json,
    ]);
  });

  it.each(['Content-Type', 'content-type', 'content_type'])(
    'keeps a type that the plugin gives as %s',
    async (name) => {
      const [, , body, headers] = await left((kong) =>
        kong.response.exit(200, { a: 1 }, { [name]: 'text/plain' }),
      );
      expect([body, headers]).toEqual(['{"a":1}', { [name]: 'text/plain' }]);
    },
  );

  it('adds no headers on a stream, which has none', async () => {
    const sent = await left((kong) => kong.response.exit(403, { a: 1 }), { phase: 'preread' });
    expect(sent).toEqual(['kong.response.exit', 403, '{"a":1}']);
  });

  it('leaves an object to Kong over MsgPack:1 where Lua can hold it, and writes JSON where it cannot', async () => {
    const msgpack = { protocol: 'msgpack' as const };
    expect(await left((kong) => kong.response.exit(403, { message: 'no' }), msgpack)).toEqual([
      'kong.response.exit',
      403,
      { message: 'no' },
    ]);
    expect(await left((kong) => kong.response.exit(200, { a: null, b: [] }), msgpack)).toEqual([
      'kong.response.exit',
      200,
      '{"a":null,"b":[]}',
      json,
    ]);
  });

  it('sends bytes and text as they are', async () => {
    const bytes = Buffer.from([0xff, 0]);
    expect(await left((kong) => kong.response.exit(200, bytes))).toEqual(['kong.response.exit', 200, bytes]);
    expect(await left((kong) => kong.response.exit(200, '{}'))).toEqual(['kong.response.exit', 200, '{}']);
  });

  it.each([204, 304])(
    'keeps Kong from sending a length with %i, unless the plugin gives one',
    async (status) => {
      expect(await left((kong) => kong.response.exit(status))).toEqual([
        'kong.response.exit',
        status,
        null,
        { 'Content-Length': [] },
      ]);
      const given = { 'content-length': '0' };
      expect(await left((kong) => kong.response.exit(status, '', given))).toEqual([
        'kong.response.exit',
        status,
        '',
        given,
      ]);
      expect(await left((kong) => kong.response.exit(status), { protocol: 'msgpack' })).toEqual([
        'kong.response.exit',
        status,
      ]);
    },
  );

  it('leaves the length to Kong where there is a body, or where one is possible', async () => {
    expect(await left((kong) => kong.response.exit(200))).toEqual(['kong.response.exit', 200]);
    expect(await left((kong) => kong.response.exit(204, 'x'))).toEqual(['kong.response.exit', 204, 'x']);
  });

  it.each([undefined, null, ''])('takes %j for no body', async (body) => {
    const [, , , headers] = await left((kong) => kong.response.exit(204, wrong(body)));
    expect(headers).toEqual({ 'Content-Length': [] });
  });

  it.each<[string, unknown]>([
    ['a cycle', Object.assign([], { 0: {} })],
    ['a bigint', { n: 1n }],
    ['an object whose JSON is nothing', { toJSON: () => undefined }],
  ])('refuses a body that is not JSON, and sends nothing: %s', async (what, body) => {
    if (what === 'a cycle') (body as unknown[])[0] = body;
    const channel = new FakeChannel('protobuf', 'access');
    const call = async (): Promise<unknown> => createKong(channel).response.exit(200, wrong(body));
    await expect(call()).rejects.toMatchObject({ code: 'PDK_INVALID_ARGUMENT' });
    expect([channel.sent, channel.ended]).toEqual([[], false]);
  });
});

describe('kong.response.error over ProtoBuf:1', () => {
  it('has the message of the status where the plugin gives none, and the id of the request', async () => {
    const [name, status, body] = await left((kong) => kong.response.error(403), {
      answers: { kong_request_id: 'abc', http_accept: 'application/json' },
    });
    expect([name, status]).toEqual(['kong.response.exit', 403]);
    expect(JSON.parse(String(body))).toMatchObject({ request_id: 'abc' });
  });

  it('writes the type that the client accepts, or the one that the plugin names', async () => {
    const typeFor = async (accept: string | null, headers?: Record<string, string>): Promise<unknown> => {
      const call: Call = (kong) => kong.response.error(400, 'x', headers);
      const sent = await left(call, { answers: { http_accept: accept } });
      return (sent[3] as Record<string, string>)['Content-Type'];
    };
    expect(await typeFor('text/html')).toMatch(/^text\/html/);
    expect(await typeFor(null)).toMatch(/^application\/json/);
    expect(await typeFor('text/html', { content_type: 'application/xml' })).toBe('application/xml');
  });

  it('has no body for gRPC, which is HTTP/2 with its content type', async () => {
    const answers = { content_type: 'application/grpc+proto' };
    const over = (version: number) => ({ answers: { ...answers, 'kong.request.get_http_version': version } });
    expect((await left((kong) => kong.response.error(400, 'x'), over(2)))[2]).toBeNull();
    expect((await left((kong) => kong.response.error(400, 'x'), over(1.1)))[2]).toContain('x');
  });

  it('writes an object as the message in JSON', async () => {
    const sent = await left((kong) => kong.response.error(400, wrong({ a: 1 })), {
      answers: { http_accept: 'text/plain' },
    });
    expect(sent[2]).toContain('{"a":1}');
  });
});

it('kong.response.error over MsgPack:1 is Kong’s own, with one Content-Type under the name that it looks for', async () => {
  const call: Call = (kong) => kong.response.error(400, 'x', { 'content-type': 'text/html', a: '1' });
  expect(await left(call, { protocol: 'msgpack' })).toEqual([
    'kong.response.error',
    400,
    'x',
    { a: '1', 'Content-Type': 'text/html' },
  ]);
});
