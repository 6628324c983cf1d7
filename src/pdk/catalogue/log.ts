import * as s from './shared.ts';
import type { NamespaceSpec } from './types.ts';

const values = { name: 'values', type: 'unknown[]', check: 'logValues', rest: true } as const;

const level = <const Name extends string>(name: Name) =>
  ({
    name: `kong.log.${name}`,
    description: `Writes a line to Kong's error log at level \`${name}\`. Values are joined; objects are written as JSON.`,
    example: `await kong.log.${name}('limit is ', 10);`,
    arguments: [values],
    result: s.nothing,
    phases: s.everyPhase,
    protobuf: { arguments: 'google.protobuf.ListValue', result: 'google.protobuf.Empty' },
    travel: s.log,
  }) as const satisfies NamespaceSpec[string];

export const log = {
  alert: level('alert'),
  crit: level('crit'),
  err: level('err'),
  warn: level('warn'),
  notice: level('notice'),
  info: level('info'),
  debug: level('debug'),
  deprecation: {
    name: 'kong.log.deprecation',
    description: "Writes a deprecation notice, where Kong's log level and configuration show them.",
    example: "await kong.log.deprecation('config.old will go');",
    arguments: [values],
    result: s.nothing,
    phases: s.everyPhase,
    protobuf: null,
    travel: { protobuf: 'absent', msgpack: 'log' },
  },
  setSerializeValue: {
    name: 'kong.log.set_serialize_value',
    description:
      'Adds a value to what serialize gives in the log phase; dots in the key make nested objects. In the log phase itself it comes too late (Kong 3.9.3).',
    example: "await kong.log.setSerializeValue('my.key', { n: 1 });",
    arguments: [
      { name: 'key', type: 'string', check: 'serializeKey' },
      { name: 'value', type: 'JsonValue', check: 'json' },
      {
        name: 'options',
        type: "{ mode?: 'set' | 'add' | 'replace' }",
        check: 'serializeOptions',
        optional: true,
      },
    ],
    result: s.nothing,
    phases: s.requestAndLog,
    protobuf: s.pairToNothing,
    travel: s.setter,
  },
  serialize: {
    name: 'kong.log.serialize',
    description:
      'The log record of the request, parsed. `kong.log.serializeRaw()` gives the JSON text unparsed.',
    example: 'const record = await kong.log.serialize();',
    raw: {
      name: 'serializeRaw',
      description: 'The log record as the JSON text that Kong made, not parsed.',
      details: [
        '`last: true` says that the handler asks Kong for nothing after it: the event ends with this call over ProtoBuf:1, which saves Kong a turn. Later calls reject with PDK_EVENT_ENDED.',
      ],
      options: 'options?: { readonly last?: boolean }',
      type: 'string',
    },
    arguments: [],
    result: { kind: 'record', type: 'LogRecord', empty: 'zero' },
    phases: s.logOnly,
    protobuf: s.emptyToText,
    travel: s.getter,
  },
} as const satisfies NamespaceSpec;

/** `kong.log(...)` itself. */
export const plainLog = {
  log: {
    name: 'kong.log',
    description: "Writes a line to Kong's error log at level `notice`.",
    example: "await kong.log('hello');",
    arguments: [values],
    result: s.nothing,
    phases: s.everyPhase,
    protobuf: null,
    travel: { protobuf: 'composed', msgpack: 'log' },
    composed: { from: ['kong.log.notice'], phases: s.everyPhase, note: null },
  },
} as const satisfies NamespaceSpec;
