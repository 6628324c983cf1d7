import * as s from './shared.ts';
import type { NamespaceSpec } from './types.ts';

const reference = { name: 'reference', type: 'string', check: 'text' } as const;

export const node = {
  getId: {
    name: 'kong.node.get_id',
    description: 'The id of this Kong node, a UUID that a node keeps until it restarts.',
    example: 'const id = await kong.node.getId();',
    arguments: [],
    result: s.text,
    phases: s.everyPhase,
    protobuf: s.emptyToText,
    travel: s.getter,
  },
  getMemoryStats: {
    name: 'kong.node.get_memory_stats',
    description:
      "Memory of Kong's workers and shared dictionaries, in bytes. A unit can be asked for over MsgPack:1 only; ProtoBuf:1 carries two of the dictionaries.",
    details: ['With a unit the values are text, with `scale` (default 2) decimal places.'],
    example: 'const { workers_lua_vms } = await kong.node.getMemoryStats();',
    arguments: [
      { name: 'unit', type: "'b' | 'k' | 'm' | 'g'", check: 'memoryUnit', optional: true },
      { name: 'scale', type: 'number', check: 'depth', optional: true },
    ],
    result: { kind: 'memoryStats', type: 'MemoryStats', empty: 'zero' },
    phases: s.everyPhase,
    protobuf: { arguments: 'google.protobuf.Empty', result: 'MemoryStats' },
    travel: s.getter,
  },
  getHostname: {
    name: 'kong.node.get_hostname',
    description: 'The name of the host that Kong runs on.',
    example: 'const name = await kong.node.getHostname();',
    arguments: [],
    result: s.text,
    phases: s.everyPhase,
    protobuf: null,
    travel: s.msgpackGetter,
  },
} as const satisfies NamespaceSpec;

export const cluster = {
  getId: {
    name: 'kong.cluster.get_id',
    description: "The id of Kong's cluster, null without a database.",
    example: 'const id = await kong.cluster.getId();',
    arguments: [],
    result: s.textOrNull,
    phases: s.everyPhase,
    protobuf: null,
    travel: s.msgpackGetter,
  },
} as const satisfies NamespaceSpec;

export const plugin = {
  getId: {
    name: 'kong.plugin.get_id',
    description:
      'The id of the plugin entity whose configuration runs. `setup` has it too, over both protocols.',
    example: 'const id = await kong.plugin.getId();',
    arguments: [],
    result: s.textOrNull,
    phases: s.everyPhase,
    protobuf: null,
    travel: s.composedGetter,
    composed: {
      from: ['kong.nginx.get_ctx'],
      phases: s.everyPhase,
      note: null,
    },
  },
} as const satisfies NamespaceSpec;

export const ip = {
  isTrusted: {
    name: 'kong.ip.is_trusted',
    description: "Whether an address is in Kong's `trusted_ips`.",
    example: "const trusted = await kong.ip.isTrusted('10.0.0.1');",
    arguments: [{ name: 'address', type: 'string', check: 'text' }],
    result: s.boolean,
    phases: s.everyPhase,
    protobuf: { arguments: 'String', result: 'Bool' },
    travel: s.getter,
    steady: 'request',
  },
} as const satisfies NamespaceSpec;

export const router = {
  getRoute: {
    name: 'kong.router.get_route',
    description: 'The route that matched, null when none did.',
    example: 'const route = await kong.router.getRoute();',
    arguments: [],
    result: { kind: 'route', type: 'Route | null', empty: 'null' },
    phases: s.authenticatedPhases,
    protobuf: { arguments: 'google.protobuf.Empty', result: 'Route' },
    travel: s.getter,
    steady: 'request',
  },
  getService: {
    name: 'kong.router.get_service',
    description: 'The service of the route, null when it has none.',
    example: 'const service = await kong.router.getService();',
    arguments: [],
    result: { kind: 'service', type: 'Service | null', empty: 'null' },
    phases: s.authenticatedPhases,
    protobuf: { arguments: 'google.protobuf.Empty', result: 'Service' },
    travel: s.getter,
    steady: 'request',
  },
} as const satisfies NamespaceSpec;

export const telemetry = {
  log: {
    name: 'kong.telemetry.log',
    since: '3.8',
    description: 'Records a log entry for the OpenTelemetry plugin, where that one is switched on.',
    example: "await kong.telemetry.log('my-plugin', {}, 'decision', 'denied', { reason: 'quota' });",
    arguments: [
      { name: 'pluginName', type: 'string', check: 'text' },
      { name: 'pluginConfig', type: 'Readonly<Record<string, JsonValue>>', check: 'json' },
      { name: 'messageType', type: 'string', check: 'text' },
      { name: 'message', type: 'string', check: 'text', optional: true },
      { name: 'attributes', type: 'Readonly<Record<string, JsonValue>>', check: 'json', optional: true },
    ],
    result: s.nothing,
    phases: s.everyPhase,
    protobuf: null,
    travel: s.msgpackSetter,
  },
} as const satisfies NamespaceSpec;

export const vault = {
  isReference: {
    name: 'kong.vault.is_reference',
    description: 'Whether a text is a vault reference such as `{vault://env/my-secret}`.',
    example: "const yes = await kong.vault.isReference('{vault://env/my-secret}');",
    arguments: [reference],
    result: s.boolean,
    phases: s.everyPhase,
    protobuf: null,
    travel: s.msgpackGetter,
  },
  get: {
    name: 'kong.vault.get',
    description: 'Resolves a vault reference; null when it cannot be resolved.',
    example: "const secret = await kong.vault.get('{vault://env/my-secret}');",
    arguments: [reference],
    result: s.textOrNull,
    phases: s.everyPhase,
    protobuf: null,
    travel: s.msgpackGetter,
  },
  parseReference: {
    name: 'kong.vault.parse_reference',
    description: 'The parts of a vault reference, null when it is none.',
    example: "const parts = await kong.vault.parseReference('{vault://env/my-secret}');",
    arguments: [reference],
    result: { kind: 'value', type: 'VaultReference | null', empty: 'null' },
    phases: s.everyPhase,
    protobuf: null,
    travel: s.msgpackGetter,
  },
} as const satisfies NamespaceSpec;
