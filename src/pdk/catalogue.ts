import { client, clientTls } from './catalogue/client.ts';
import { log, plainLog } from './catalogue/log.ts';
import { ctxShared, nginx } from './catalogue/nginx.ts';
import { cluster, ip, node, plugin, router, telemetry, vault } from './catalogue/node.ts';
import { request } from './catalogue/request.ts';
import { response } from './catalogue/response.ts';
import { serviceRequest } from './catalogue/service-request.ts';
import { service, serviceResponse } from './catalogue/service.ts';
import type { FunctionRow, FunctionSpec, NamespaceSpec } from './catalogue/types.ts';
import type { Phase, Protocol } from './names/phases.ts';

export type { ArgumentsMessage, ResultMessage } from '../wire/protobuf/index.ts';
export type {
  ArgumentSpec,
  CheckName,
  Composition,
  FunctionRow,
  FunctionSpec,
  LookupRule,
  Merging,
  NamespaceSpec,
  Part,
  ResultKind,
  ResultSpec,
  Travel,
} from './catalogue/types.ts';

/** All functions by the path that they hang on; the types of `Kong<Phase, Protocol>` come from here. */
export const namespaces = {
  kong: plainLog,
  'kong.client': client,
  'kong.client.tls': clientTls,
  'kong.cluster': cluster,
  'kong.ctx.shared': ctxShared,
  'kong.ip': ip,
  'kong.log': log,
  'kong.nginx': nginx,
  'kong.node': node,
  'kong.plugin': plugin,
  'kong.request': request,
  'kong.response': response,
  'kong.router': router,
  'kong.service': service,
  'kong.service.request': serviceRequest,
  'kong.service.response': serviceResponse,
  'kong.telemetry': telemetry,
  'kong.vault': vault,
} as const satisfies Record<string, NamespaceSpec>;

/** Phases in which a plugin may call a function over a protocol. */
function offeredPhases(spec: FunctionSpec, protocol: Protocol): readonly Phase[] {
  if (spec.travel[protocol] === 'absent') return [];
  if (spec.travel[protocol] === 'composed') return spec.composed?.phases ?? [];
  if (spec.notInLog === protocol) return spec.phases.filter((phase) => phase !== 'log');
  return spec.inLog === undefined || spec.phases.includes('log') ? spec.phases : [...spec.phases, 'log'];
}

function rowOf(path: string, spec: FunctionSpec): FunctionRow {
  return {
    name: spec.name,
    path,
    description: spec.description,
    details: spec.details ?? [],
    example: spec.example,
    since: spec.since ?? null,
    arguments: spec.arguments,
    result: spec.result,
    protobuf: spec.protobuf,
    phases: { protobuf: spec.protobuf === null ? [] : spec.phases, msgpack: spec.phases },
    offered: {
      protobuf: offeredPhases(spec, 'protobuf'),
      msgpack: offeredPhases(spec, 'msgpack'),
    },
    travel: spec.travel,
    steady: spec.steady ?? null,
    changes: spec.changes ?? null,
    sets: spec.sets === true,
    merging: spec.merging ?? null,
    composed: spec.composed ?? null,
    raw: spec.raw ?? null,
    inLog: spec.inLog ?? null,
    httpLog: spec.httpLog === true,
  };
}

/**
 * Every function that Kong 3.9.3 lets an external plugin call, one row each: arguments, result, phases per protocol and
 * how it travels. The runtime, the sandbox, the reference page and the tests come from it.
 */
export const catalogue: readonly FunctionRow[] = Object.entries<NamespaceSpec>(namespaces).flatMap(
  ([path, functions]) => Object.entries(functions).map(([name, spec]) => rowOf(`${path}.${name}`, spec)),
);

const byName = new Map(catalogue.map((row) => [row.name, row]));

/** The row of a wire name such as `kong.request.get_header`, null when the catalogue has none. */
export function rowByName(name: string): FunctionRow | null {
  return byName.get(name) ?? null;
}
