import { existsSync, readFileSync } from 'node:fs';
import type { MethodDefinition } from '@grpc/grpc-js';
import protobuf from 'protobufjs';

export interface WireDeclaration {
  source: string;
  event: string;
  fields: string[];
  unique: string[];
  description: string;
}
export interface WireEvent {
  id: string;
  source: string;
  event: string;
  data: string;
  at: number;
}
export interface EmitRequest {
  batch: number;
  events: WireEvent[];
  interestVersion: number;
}
export interface WireInterest {
  version: number;
  wanted: { source: string; event?: string | null }[];
}
export interface EmitResponse {
  ack?: { batch: number; error: string; refused: { index: number; reason: string }[] } | null;
  interest?: WireInterest | null;
}
export interface SubscribeRequest {
  sources: string[];
  withoutEvents: boolean;
  withoutDeliveries: boolean;
}
export interface WireAttempt {
  id: string;
  hook: string;
  source: string;
  event: string;
  at: number;
  state: string;
  attempts: number;
  status: number;
  latencyMs: number;
  error: string;
}
export interface WireNotice {
  received?: { event: WireEvent; hooks: number };
  attempt?: WireAttempt;
}

type Method<Request, Response> = MethodDefinition<Request, Response>;
/** The methods of `proto/event_hooks.proto` as grpc-js wants them. */
export interface EventHooksService {
  publish: Method<{ declarations: WireDeclaration[] }, Record<string, never>>;
  emit: Method<EmitRequest, EmitResponse>;
  subscribe: Method<SubscribeRequest, WireNotice>;
  listSources: Method<Record<string, never>, { declarations: WireDeclaration[] }>;
}

let loaded: EventHooksService | null = null;

/** Reads the proto file, once per process. */
export function eventHooksService(): EventHooksService {
  if (loaded !== null) return loaded;
  const { root } = protobuf.parse(readFileSync(protoFile(), 'utf8'));
  const service = root.lookupService('kongts.eventhooks.v1.EventHooks');
  const methods = service.methodsArray.map((method) => {
    method.resolve();
    const definition = {
      path: `/kongts.eventhooks.v1.EventHooks/${method.name}`,
      requestStream: method.requestStream === true,
      responseStream: method.responseStream === true,
      ...codec('request', method.resolvedRequestType),
      ...codec('response', method.resolvedResponseType),
    };
    return [method.name.charAt(0).toLowerCase() + method.name.slice(1), definition];
  });
  return (loaded = Object.fromEntries(methods) as EventHooksService);
}

function codec(side: 'request' | 'response', type: protobuf.Type | null): Record<string, unknown> {
  if (type === null) throw new TypeError('the proto file names a type that it does not define');
  return {
    [`${side}Serialize`]: (value: Record<string, unknown>) => Buffer.from(type.encode(value).finish()),
    // Numbers on this wire are times and counts: they fit a double.
    [`${side}Deserialize`]: (bytes: Buffer) =>
      type.toObject(type.decode(bytes), { longs: Number, defaults: true, arrays: true }),
  };
}

/** In a checkout the file is two folders above `src/event-hooks`, in the published package three. */
function protoFile(): URL {
  const near = new URL('../../../proto/event_hooks.proto', import.meta.url);
  return existsSync(near) ? near : new URL('../../../../proto/event_hooks.proto', import.meta.url);
}
