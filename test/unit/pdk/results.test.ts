import { describe, expect, it } from 'vitest';
import { createKong, rowByName } from '../../../src/pdk/index.ts';
import type { KongApi, Phase, Protocol } from '../../../src/pdk/index.ts';
import { callByPath, FakeChannel } from './fake-channel.ts';
import { answersOf, transcriptCalls } from './transcripts.ts';

/** A kong whose answers are those of a recorded session of Kong 3.9.3. */
function recorded(
  protocol: Protocol,
  scenario: string,
  phase: Phase,
): { kong: KongApi; channel: FakeChannel } {
  const channel = new FakeChannel(protocol, phase, answersOf(transcriptCalls(protocol, scenario)));
  return { kong: createKong(channel), channel };
}

/** Ids, times and ports differ from session to session. */
const volatile = [
  'created_at',
  'updated_at',
  'id',
  'x-kong-request-id',
  'x-credential-identifier',
  'date',
  'x-kong-proxy-latency',
];
/** Entity fields and dictionaries that ProtoBuf:1's messages lack. */
const msgpackOnly = [
  'ws_id',
  'enabled',
  'path_handling',
  'request_buffering',
  'response_buffering',
  'key',
  'consumer',
  'lua_shared_dicts',
];

function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !volatile.includes(name) && !msgpackOnly.includes(name))
      .map(([name, item]) => [name, comparable(item)]),
  );
}

const skipped = [
  'kong.client.get_port',
  'kong.client.get_forwarded_port',
  'kong.nginx.req_start_time',
  'kong.log.serialize',
  'kong.service.response.get_raw_body',
];

describe('the same program gets the same answers over both protocols', () => {
  it.each([
    ['access-getters', 'access'],
    ['response-phase', 'response'],
    ['log-phase', 'log'],
    ['stream-preread', 'preread'],
  ] as const)('%s', async (scenario, phase) => {
    const calls = transcriptCalls('protobuf', scenario).filter((call) => call.phase === phase);
    expect(calls.length).toBeGreaterThan(2);
    for (const { name, args } of calls) {
      if (skipped.includes(name) || rowByName(name)?.offered.protobuf.includes(phase) === false) continue;
      const path = rowByName(name)?.path ?? '';
      const [protobuf, msgpack] = await Promise.all(
        (['protobuf', 'msgpack'] as const).map((protocol) =>
          callByPath(recorded(protocol, scenario, phase).kong, path, args),
        ),
      );
      expect(comparable(protobuf), `${name} ${JSON.stringify(args)}`).toEqual(comparable(msgpack));
    }
  });
});

const protocols = ['protobuf', 'msgpack'] as const;

describe.each(protocols)("Kong 3.9.3's recorded answers over %s", (protocol) => {
  it('are what the types say', async () => {
    const { kong } = recorded(protocol, 'access-getters', 'access');
    expect(await kong.client.getIp()).toBe('127.0.0.1');
    expect(await kong.nginx.getTls1VersionStr()).toBeNull();
    expect(await kong.nginx.getVar('nope')).toBeNull();
    expect(await kong.request.getHeader('nope')).toBeNull();
    expect(await kong.request.getHeader('x-multi')).toBe('one');
    expect((await kong.request.getHeaders(100))['x-multi']).toEqual(['one', 'two']);
    expect(await kong.request.getQuery(100)).toEqual({
      foo: ['bar', 'baz'],
      flag: true,
      empty: '',
      apikey: 'alicekey',
    });
    expect(await kong.request.getQueryArg('flag')).toBe(true);
    expect(await kong.request.getQueryArg('foo')).toBe('bar');
    expect(await kong.request.getQueryArg('nope')).toBeNull();
    expect(await kong.request.getRawBody()).toEqual(Buffer.from('name=John&age=42'));
    expect(await kong.request.getUriCaptures()).toEqual({
      unnamed: ['th ing', '42'],
      named: { item: 'th ing' },
    });
    expect(await kong.client.loadConsumer('nobody', true)).toBeNull();
    expect(await kong.client.getConsumer()).toMatchObject({
      username: 'alice',
      custom_id: 'c-1',
      tags: ['vip'],
    });
    expect(await kong.router.getRoute()).toMatchObject({
      name: 'cap-route',
      methods: null,
      preserve_host: false,
      regex_priority: 0,
    });
    expect(await kong.router.getService()).toMatchObject({
      name: 'local',
      client_certificate: null,
      retries: 5,
    });
    expect(await kong.request.getHttpVersion()).toBe(1.1);
    expect(await kong.ip.isTrusted('127.0.0.1')).toBe(false);
  });

  it('make a log record that is parsed, and the same text unparsed', async () => {
    const { kong } = recorded(protocol, 'log-phase', 'log');
    const record = await kong.log.serialize();
    expect(record).toMatchObject({
      workspace_name: 'default',
      client_ip: '127.0.0.1',
      request: { method: 'POST' },
    });
    expect(JSON.parse(await kong.log.serializeRaw())).toEqual(record);
  });

  it('missing answers are null or zero, as the catalogue says', async () => {
    const missing = protocol === 'msgpack' ? undefined : null;
    const response = createKong(new FakeChannel(protocol, 'response', () => missing));
    const status = createKong(
      new FakeChannel(protocol, 'response', () => (protocol === 'msgpack' ? undefined : 0)),
    );
    expect(await status.service.response.getStatus()).toBeNull();
    expect(await response.router.getRoute()).toBeNull();
    expect(await response.ctx.shared.get('k')).toBeNull();
    expect(await response.client.getCredential()).toBeNull();
    expect(await response.response.getHeaders()).toEqual({});
    expect(await response.request.getUriCaptures()).toEqual({ unnamed: [], named: {} });
    expect(await response.service.response.getRawBody()).toEqual(Buffer.alloc(0));
    expect(await response.request.getRawQuery()).toBe('');
    const access = createKong(new FakeChannel(protocol, 'access', () => missing));
    expect(await access.service.setUpstream('none')).toBe(false);
  });
});

it('composed functions give over ProtoBuf:1 what Kong itself gave over MsgPack:1', async () => {
  const { kong } = recorded('protobuf', 'access-getters', 'access');
  const own = Object.fromEntries(
    transcriptCalls('msgpack', 'access-msgpack-only').map(({ name, answer }) => [name, answer]),
  );
  expect(await kong.request.getRawPath()).toBe(own['kong.request.get_raw_path']);
  expect(await kong.request.getForwardedPath()).toBe(own['kong.request.get_forwarded_path']);
  expect(await kong.request.getBody('application/x-www-form-urlencoded')).toEqual(
    own['kong.request.get_body'],
  );
});
