import { Buffer } from 'node:buffer';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { catalogue, createKong } from '../../src/pdk/index.ts';
import type { FunctionRow, Phase, Protocol } from '../../src/pdk/index.ts';
import { callByPath, FakeChannel } from '../unit/pdk/fake-channel.ts';
import { matrix, recordedReply } from '../unit/pdk/matrix.ts';
import { send } from './support/client.ts';
import type { RealGateway } from './support/real-server.ts';
import { realGateway } from './support/real-server.ts';
import { recordedConfig } from './support/recorded-config.ts';
import { stable } from './support/transcripts.ts';

/** In which phase a function is tried: the first of these that Kong accepts it in. */
const order: readonly Phase[] = ['access', 'response', 'log', 'rewrite'];

/** These end the request or send it elsewhere: they have tests of their own. */
const elsewhere = new Set(
  ['response.exit', 'response.error', 'service.set_upstream', 'service.set_target'].map(
    (name) => `kong.${name}`,
  ),
);

/** The machine's, the clock's or the moment's: only the form is compared. */
const machine: Readonly<Record<string, unknown>> = {
  'kong.client.get_port': expect.any(Number) as unknown,
  'kong.client.get_forwarded_port': expect.any(Number) as unknown,
  'kong.nginx.req_start_time': expect.any(Number) as unknown,
  'kong.request.get_start_time': expect.any(Number) as unknown,
  'kong.node.get_id': expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown,
  'kong.node.get_hostname': expect.any(String) as unknown,
  'kong.plugin.get_id': expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown,
  'kong.vault.get': expect.any(String) as unknown,
  'kong.nginx.get_statistics': expect.objectContaining({
    connections_active: expect.any(Number) as number,
    connections_reading: expect.any(Number) as number,
    connections_writing: expect.any(Number) as number,
    connections_waiting: expect.any(Number) as number,
    connections_accepted: expect.any(Number) as number,
    connections_handled: expect.any(Number) as number,
  }) as unknown,
};

/** Where the matrix shows something else than one answer to this request, each with the reason. */
const otherwise: Readonly<Record<string, { value: unknown; reason: string }>> = {
  'kong.log.serialize': {
    value: expect.objectContaining({ client_ip: '127.0.0.1' }),
    reason: 'the matrix has the beginning of the text only; the transcripts have the rest',
  },
  'kong.node.get_memory_stats': {
    value: {
      lua_shared_dicts: expect.objectContaining({
        kong: { allocated_slabs: 40960, capacity: 5242880 },
      }) as object,
      workers_lua_vms: [{ http_allocated_gc: 'number', pid: 'number' }],
    },
    reason: 'the matrix has the beginning of the text only; the transcripts have the rest',
  },
  'kong.request.get_body': {
    value: { name: 'John', age: '42' },
    reason: 'the matrix shows it from a phase without a body',
  },
  'kong.service.response.get_body': {
    value: expect.objectContaining({ m: 'PUT' }),
    reason: 'the upstream of the matrix answered with something else',
  },
  'kong.service.response.get_raw_body': {
    value: expect.any(Buffer),
    reason: 'the upstream of the matrix answered with something else',
  },
  'kong.response.get_headers': {
    value: expect.objectContaining({
      'x-upstream': 'yes',
      'content-type': 'application/json',
      'x-set': '1',
      'x-h2': ['b', 'c'],
    }),
    reason: 'the setters of the access phase have been there before',
  },
};

/** Fields that the entities have over MsgPack:1 only: the messages of ProtoBuf:1 lack them. */
const msgpackOnly: Readonly<Record<string, readonly string[]>> = {
  'kong.client.get_credential': ['key', 'consumer', 'created_at'],
  'kong.client.get_consumer': ['updated_at'],
  'kong.client.load_consumer': ['updated_at'],
  'kong.router.get_route': ['response_buffering', 'request_buffering', 'ws_id', 'path_handling'],
  'kong.router.get_service': ['enabled', 'ws_id'],
};

const phaseOf = (row: FunctionRow, protocol: Protocol) =>
  order.find((phase) => row.offered[protocol].includes(phase));

/** What has a getter of its own, then what only reads, then what changes the request. */
const rank = (row: FunctionRow) =>
  ['kong.ctx.shared.set', 'kong.nginx.set_ctx'].includes(row.name)
    ? 0
    : row.result.kind === 'void' || row.name.includes('.set_')
      ? 2
      : 1;
const rows = catalogue.filter((row) => !elsewhere.has(row.name)).sort((a, b) => rank(a) - rank(b));

const call = (kong: object, row: FunctionRow) =>
  callByPath(kong, row.path, matrix.get(row.name)?.args ?? []).catch((error: unknown) => error);

function expected(row: FunctionRow, protocol: Protocol, recorded: unknown): unknown {
  const special = machine[row.name] ?? otherwise[row.name]?.value;
  if (special !== undefined) return special;
  const lacking = protocol === 'protobuf' ? msgpackOnly[row.name] : undefined;
  if (lacking === undefined) return recorded;
  return Object.fromEntries(Object.entries(recorded as object).filter(([name]) => !lacking.includes(name)));
}

describe.each(['protobuf', 'msgpack'] as const)('every function over %s', (protocol) => {
  let gateway: RealGateway;
  const got = new Map<string, unknown>();
  const tried = rows.filter((row) => phaseOf(row, protocol) !== undefined);

  beforeAll(async () => {
    const name = `behaviour-${protocol}`;
    gateway = await realGateway(name, (port) => ({ ...recordedConfig(port), plugins: [{ name }] }));
    const inPhase = (phase: Phase) => async (kong: object) => {
      for (const row of tried) if (phaseOf(row, protocol) === phase) got.set(row.name, await call(kong, row));
    };
    gateway.run(Object.fromEntries(order.map((phase) => [phase, inPhase(phase)])));
    const url = `${gateway.sandbox.proxyUrl ?? ''}/cap/th%20ing/42?foo=bar&foo=baz&flag&empty=&apikey=alicekey`;
    await send(url, {
      method: 'POST',
      headers: [
        ...['Host', new URL(url).host],
        ...['Content-Type', 'application/x-www-form-urlencoded'],
        ...['x-multi', 'one'],
        ...['x-multi', 'two'],
        ...['X-Forwarded-For', '9.9.9.9'],
        ...['Content-Length', '16'],
        ...['Connection', 'close'],
      ],
      body: 'name=John&age=42',
    });
    await gateway.logged();
  });
  afterAll(async () => gateway.close());

  test.each(tried.map((row) => [row.name, row] as const))(
    '%s answers as Kong 3.9.3 did',
    async (_name, row) => {
      const ports = new Map([
        [Number(new URL(gateway.sandbox.proxyUrl ?? '').port), 8000],
        [gateway.upstream.port, 18080],
      ]);
      const phase = phaseOf(row, protocol) ?? 'access';
      const recorded = await call(createKong(new FakeChannel('msgpack', phase, recordedReply)), row);
      const value = got.get(row.name);
      expect(got.has(row.name)).toBe(true);
      expect(value).not.toBeInstanceOf(Error);
      const compared = Buffer.isBuffer(value) ? value : stable(value, ports);
      const wanted = expected(row, protocol, Buffer.isBuffer(recorded) ? recorded : stable(recorded, ports));
      expect(compared).toEqual(wanted);
    },
  );

  test('nothing but the plugin’s own line was logged as an error', () => {
    expect(gateway.lines).toEqual([]);
    expect(gateway.logs.filter((line) => line.startsWith('error') && !line.endsWith('] m'))).toEqual([]);
  });
});

test('every function is tried but those of phases that a plain HTTP request does not have', () => {
  const untried = rows.filter((row) => phaseOf(row, 'msgpack') === undefined);
  expect(untried.map(({ name, offered }) => [name, ...offered.msgpack])).toEqual([
    ['kong.client.tls.request_client_certificate', 'certificate', 'preread'],
    ['kong.client.tls.disable_session_reuse', 'certificate', 'preread'],
    // In no phase that Kong runs on a plugin server.
    ['kong.response.get_raw_body'],
    ['kong.client.tls.disable_http2_alpn', 'preread'],
    ['kong.response.set_raw_body'],
  ]);
});
