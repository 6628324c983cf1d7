import * as s from './shared.ts';
import type { NamespaceSpec } from './types.ts';

const key = { name: 'key', type: 'string', check: 'text' } as const;
const jsonValue = { name: 'value', type: 'JsonValue', check: 'json' } as const;

/** Nobody outside of Kong can know of a value before it is asked for. */
const leftByLua = [
  'What a Lua plugin has left there makes Kong raise if it cannot be sent: over MsgPack:1 a function, userdata, a coroutine; over ProtoBuf:1 a table with keys that are numbers and no list; over both a table that holds itself. In other phases that is a 500.',
  'In the log phase it would leave the request behind for handlers of later ones. So there it answers what plugins of the same server have set, null otherwise. Of what Lua plugins and other servers have left, it answers the names that the definition of the plugin lists in readsInLog.',
  'For a listed name that Kong has once not answered in the log phase, it rejects with PDK_NOT_IN_PHASE from then on.',
  'What a Lua plugin gives to kong.log.set_serialize_value is in kong.log.serialize() and needs no list.',
];

export const nginx = {
  getVar: {
    name: 'kong.nginx.get_var',
    description: 'An nginx variable, null when it is absent or empty.',
    example: "const id = await kong.nginx.getVar('request_id');",
    arguments: [{ name: 'name', type: 'string', check: 'text' }],
    result: s.textOrNull,
    phases: s.connectionPhases,
    protobuf: s.textToText,
    travel: s.getter,
  },
  getTls1VersionStr: {
    name: 'kong.nginx.get_tls1_version_str',
    description: "The TLS version of the client's connection such as `TLSv1.3`, null without TLS.",
    example: 'const version = await kong.nginx.getTls1VersionStr();',
    arguments: [],
    result: s.textOrNull,
    phases: s.everyPhase,
    protobuf: s.emptyToText,
    travel: s.getter,
  },
  setCtx: {
    name: 'kong.nginx.set_ctx',
    description:
      "Sets a value in nginx's context of the request, which Kong itself uses: names that Kong works with, such as `KONG_PHASE`, are refused.",
    example: "await kong.nginx.setCtx('my_key', 'value');",
    arguments: [{ ...key, check: 'setCtxKey' }, jsonValue],
    result: s.nothing,
    phases: s.everyPhase,
    protobuf: { arguments: 'KV', result: 'String' },
    travel: s.setter,
  },
  getCtx: {
    name: 'kong.nginx.get_ctx',
    description:
      "A value from nginx's context of the request, null when it is absent. What Kong keeps there and cannot send (`balancer_data`, `plugins` and others) is refused.",
    example: "const value = await kong.nginx.getCtx('my_key');",
    details: [
      ...leftByLua,
      'Names under which Kong itself keeps a text, a number or a boolean, such as `KONG_PROXY_LATENCY` or `request_id`, need no list either.',
    ],
    arguments: [{ ...key, check: 'ctxKey' }],
    result: s.value,
    phases: s.everyPhase,
    protobuf: { arguments: 'String', result: 'google.protobuf.Value' },
    travel: s.getter,
  },
  reqStartTime: {
    name: 'kong.nginx.req_start_time',
    description: 'When nginx received the request, in seconds since the epoch, with milliseconds.',
    example: 'const seconds = await kong.nginx.reqStartTime();',
    arguments: [],
    result: s.number,
    phases: s.everyPhase,
    protobuf: s.emptyToNumber,
    travel: s.getter,
    steady: 'request',
  },
  getSubsystem: {
    name: 'kong.nginx.get_subsystem',
    description: "Which part of nginx handles the traffic: 'http' or 'stream'.",
    example: 'const subsystem = await kong.nginx.getSubsystem();',
    arguments: [],
    result: { kind: 'text', type: "'http' | 'stream'", empty: 'zero' },
    phases: s.everyPhase,
    protobuf: s.emptyToText,
    travel: s.getter,
    steady: 'request',
  },
  getStatistics: {
    name: 'kong.nginx.get_statistics',
    description: "nginx's counters of connections and requests.",
    example: 'const { total_requests } = await kong.nginx.getStatistics();',
    arguments: [],
    result: { kind: 'value', type: 'NginxStatistics', empty: 'null' },
    phases: s.everyPhase,
    protobuf: null,
    travel: s.msgpackGetter,
  },
} as const satisfies NamespaceSpec;

export const ctxShared = {
  get: {
    name: 'kong.ctx.shared.get',
    description: 'A value that a plugin shared for this request, null when it is absent.',
    details: leftByLua,
    example: "const user = await kong.ctx.shared.get('user');",
    arguments: [key],
    result: s.value,
    phases: s.everyPhase,
    protobuf: { arguments: 'String', result: 'google.protobuf.Value' },
    travel: s.getter,
  },
  set: {
    name: 'kong.ctx.shared.set',
    description:
      'Shares a JSON-like value with the later phases and the other plugins of this request. ProtoBuf:1 cannot carry `false`; Lua has no null inside an array. An empty array and an empty object are one and the same in Lua: ProtoBuf:1 reads either as `{}`, MsgPack:1 as `[]`.',
    example: "await kong.ctx.shared.set('user', { name: 'alice', roles: ['admin'] });",
    arguments: [key, jsonValue],
    result: s.nothing,
    phases: s.everyPhase,
    protobuf: s.pairToNothing,
    travel: s.setter,
  },
} as const satisfies NamespaceSpec;
