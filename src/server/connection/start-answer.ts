import type { Buffer } from 'node:buffer';
import { encodeResponse } from '../../wire/msgpack/index.ts';
import { encodeFrame, encodeRpcReturn } from '../../wire/protobuf/index.ts';
import type { AskedStart, StartedInstance } from './host.ts';

/** An instance as ProtoBuf:1 describes it. */
export function statusOf(instance: StartedInstance): { name: string; instanceId: number; startedAt: number } {
  return { name: instance.name, instanceId: instance.id, startedAt: instance.startedAt };
}

/** An instance as MsgPack:1 describes it. */
export function resultOf(instance: StartedInstance): Record<string, unknown> {
  return {
    Name: instance.name,
    Id: instance.id,
    Config: instance.config ?? {},
    StartTime: instance.startedAt,
  };
}

/** The answer to a StartInstance, as it travels. */
export function startAnswer({ protocol, request }: AskedStart, instance: StartedInstance): Buffer {
  if (protocol === 'msgpack') return encodeResponse(Number(request), null, resultOf(instance));
  return encodeFrame(
    encodeRpcReturn({ sequence: request, result: { type: 'instanceStatus', status: statusOf(instance) } }),
  );
}
