import { Buffer } from 'node:buffer';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { catalogue } from '../../../src/pdk/catalogue.ts';
import type { ArgumentsMessage, ResultMessage } from '../../../src/wire/protobuf/messages.ts';
import { decodeRpcCall, encodeRpcReturn } from '../../../src/wire/protobuf/server-side.ts';
import { decodeRpcReturn, encodeRpcCall } from '../../../src/wire/protobuf/kong-side.ts';
import { decodeArguments, encodeResult } from '../../../src/wire/protobuf/kong-side.ts';
import { decodeResult, encodeArguments } from '../../../src/wire/protobuf/server-side.ts';

/** The proto file, read by a library that knows nothing of our codec. */
const root = new protobuf.Root();
root.resolvePath = (_origin, target) =>
  target.startsWith('google/') ? fileURLToPath(import.meta.resolve(`protobufjs/${target}`)) : target;
root.loadSync(fileURLToPath(new URL('../../../proto/pluginsocket.proto', import.meta.url)));
root.resolveAll();
const typeOf = (name: string) =>
  root.lookupType(name.startsWith('google.') ? name : `kong_plugin_protocol.${name}`);
const encode = (name: string, message: object) => {
  const type = typeOf(name);
  return Buffer.from(type.encode(type.fromObject(message)).finish());
};
const decode = (name: string, bytes: Buffer): unknown =>
  typeOf(name).toObject(typeOf(name).decode(bytes), { longs: Number, bytes: Buffer });

const value = (kind: object) => kind;

describe('arguments', () => {
  const samples: [ArgumentsMessage, unknown[], object][] = [
    ['google.protobuf.Empty', [], {}],
    ['Bool', [true], { v: true }],
    ['Int', [-5], { v: -5 }],
    ['Int', [2147483647], { v: 2147483647 }],
    ['String', ['grün'], { v: 'grün' }],
    ['ByteString', [Buffer.from([0, 255])], { v: Buffer.from([0, 255]) }],
    ['KV', ['a', 'b'], { k: 'a', v: { stringValue: 'b' } }],
    ['KV', ['a', 1.5], { k: 'a', v: { numberValue: 1.5 } }],
    ['Target', ['h', 80], { host: 'h', port: 80 }],
    ['ConsumerSpec', ['id', true], { id: 'id', byUsername: true }],
    [
      'AuthenticateArgs',
      [{ id: 'c' }, { id: 'k', consumer_id: 'c' }],
      { consumer: { id: 'c' }, credential: { id: 'k', consumerId: 'c' } },
    ],
    ['AuthenticateArgs', [null, { id: 'k' }], { credential: { id: 'k' } }],
    [
      'google.protobuf.ListValue',
      ['a', 1, true],
      { values: [{ stringValue: 'a' }, { numberValue: 1 }, { boolValue: true }] },
    ],
    [
      'google.protobuf.Struct',
      [{ a: ['x', 'y'] }],
      { fields: { a: { listValue: { values: [{ stringValue: 'x' }, { stringValue: 'y' }] } } } },
    ],
  ];

  test.each(samples)('%s %j', (type, args, message) => {
    expect(decode(type, encodeArguments(type, args))).toEqual(message);
    expect(decodeArguments(type, encode(type, message))).toEqual(args);
  });

  test('ExitArgs', () => {
    const bytes = encodeArguments('ExitArgs', [403, '{}', { 'x-a': 'b' }]);
    const fields = { 'x-a': { stringValue: 'b' } };
    expect(decode('ExitArgs', bytes)).toEqual({ status: 403, body: Buffer.from('{}'), headers: { fields } });
    expect(decodeArguments('ExitArgs', bytes)).toEqual([403, Buffer.from('{}'), { 'x-a': 'b' }]);
    expect(decodeArguments('ExitArgs', encodeArguments('ExitArgs', [200]))).toEqual([200]);
    expect(decodeArguments('ExitArgs', encodeArguments('ExitArgs', [200, null, {}]))).toEqual([
      200,
      null,
      {},
    ]);
  });
});

describe('results', () => {
  const route = {
    id: 'r',
    created_at: 1795282096,
    protocols: ['http', 'https'],
    strip_path: true,
    service: { id: 's' },
    regex_priority: 7,
  };
  const dicts = { kong: { allocated_slabs: 40960, capacity: 5242880 } };
  const samples: [ResultMessage, unknown, object][] = [
    ['String', 'x'.repeat(300), { v: 'x'.repeat(300) }],
    ['Int', 38564, { v: 38564 }],
    ['Number', 1795282098.301, { v: 1795282098.301 }],
    ['Bool', true, { v: true }],
    ['ByteString', Buffer.from([1, 2]), { v: Buffer.from([1, 2]) }],
    ['RawBodyResult', { content: Buffer.from('a') }, { content: Buffer.from('a') }],
    ['RawBodyResult', { body_filepath: '/f' }, { bodyFilepath: '/f' }],
    ['RawBodyResult', { error: 'e' }, { error: 'e' }],
    [
      'UriCapturesResult',
      { unnamed: ['a', 'b'], named: { n: 'a' } },
      { unnamed: [Buffer.from('a'), Buffer.from('b')], named: { n: Buffer.from('a') } },
    ],
    [
      'Consumer',
      { id: 'c', username: 'alice', tags: ['vip'] },
      { id: 'c', username: 'alice', tags: ['vip'] },
    ],
    [
      'Route',
      route,
      {
        id: 'r',
        createdAt: 1795282096,
        protocols: ['http', 'https'],
        stripPath: true,
        service: { id: 's' },
        regexPriority: 7,
      },
    ],
    [
      'MemoryStats',
      { lua_shared_dicts: dicts, workers_lua_vms: [{ http_allocated_gc: 5, pid: 9 }] },
      {
        luaSharedDicts: { kong: { allocatedSlabs: 40960, capacity: 5242880 } },
        workersLuaVms: [{ httpAllocatedGc: 5, pid: 9 }],
      },
    ],
    [
      'google.protobuf.Value',
      [1, { a: 'b' }],
      {
        listValue: {
          values: [
            value({ numberValue: 1 }),
            value({ structValue: { fields: { a: { stringValue: 'b' } } } }),
          ],
        },
      },
    ],
  ];

  test.each(samples)('%s %j', (type, result, message) => {
    expect(decode(type, encodeResult(type, result))).toEqual(message);
    expect(decodeResult(type, encode(type, message))).toEqual(result);
  });

  const empties: [ResultMessage, unknown][] = [
    ['String', ''],
    ['Int', 0],
    ['Number', 0],
    ['Bool', false],
    ['ByteString', Buffer.alloc(0)],
    ['google.protobuf.Value', null],
    ['google.protobuf.Struct', {}],
    ['google.protobuf.Empty', null],
    ['Route', null],
    ['Service', null],
    ['Consumer', null],
    ['AuthenticatedCredential', null],
    ['MemoryStats', null],
  ];
  test.each(empties)('an empty %s is %j', (type, result) => {
    expect(decodeResult(type, Buffer.alloc(0))).toEqual(result);
  });
});

test('RpcCall and RpcReturn', () => {
  const call = {
    sequence: 7,
    command: { type: 'handleEvent', instanceId: 114442, eventName: 'access' },
  } as const;
  expect(decode('RpcCall', encodeRpcCall(call))).toEqual({
    sequence: 7,
    cmdHandleEvent: { instanceId: 114442, eventName: 'access' },
  });
  const close = encode('RpcCall', { cmdCloseInstance: { instanceId: 3 } });
  const big = Buffer.concat([Buffer.from('08ffffffffffffffff7f', 'hex'), close]);
  expect(decodeRpcCall(big)).toEqual({
    sequence: 2n ** 63n - 1n,
    command: { type: 'closeInstance', instanceId: 3 },
  });
  const status = { name: 'p', instanceId: 5, startedAt: 12 };
  const bytes = encodeRpcReturn({ sequence: 3, result: { type: 'instanceStatus', status } });
  expect(decode('RpcReturn', bytes)).toEqual({ sequence: 3, instanceStatus: status });
  expect(decodeRpcReturn(bytes)).toEqual({ sequence: 3, result: { type: 'instanceStatus', status } });
});

test('the service has the functions of the catalogue, with their messages', () => {
  const service = root.lookupService('kong_plugin_protocol.Kong');
  const fromFile = service.methodsArray.map((method) => {
    const named: unknown = method.options?.['(MethodName)'];
    const words = method.name
      .replaceAll('_', '.')
      .replaceAll(/([a-z]\d*)([A-Z])/g, '$1_$2')
      .toLowerCase();
    return [typeof named === 'string' ? named : `kong.${words}`, method.requestType, method.responseType];
  });
  const expected = catalogue.flatMap((row) =>
    row.protobuf === null ? [] : [[row.name, row.protobuf.arguments, row.protobuf.result]],
  );
  expect(fromFile.length).toBe(74);
  expect(fromFile.sort()).toEqual(expected.sort());
});

/** What a Value can carry and hand back unchanged. */
const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: 'grapheme' }),
    fc.boolean(),
    fc.double({ noNaN: true }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string({ unit: 'grapheme' }), tie('value'), { maxKeys: 4 }),
  ),
})).value;

test('any JSON value survives, through the library and back', () => {
  fc.assert(
    fc.property(json, (each) => {
      const bytes = encodeResult('google.protobuf.Value', each);
      const again = Buffer.from(
        typeOf('google.protobuf.Value').encode(typeOf('google.protobuf.Value').decode(bytes)).finish(),
      );
      expect(decodeResult('google.protobuf.Value', again)).toEqual(each);
    }),
    { numRuns: 200 },
  );
});
