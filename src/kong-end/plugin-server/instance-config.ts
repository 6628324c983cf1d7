import { setOwn } from '../../base/set-own.ts';
import type { BoundPlugin } from '../request/exchange.ts';

/** The JSON that StartInstance carries: the configuration without nulls, and the fields that Kong adds to it. */
export function instanceConfig(plugin: BoundPlugin): string {
  const { entity, seq, key } = plugin;
  return JSON.stringify(
    withoutNulls({
      ...entity.config,
      route_id: entity.route?.id,
      service_id: entity.service?.id,
      consumer_id: entity.consumer?.id,
      plugin_instance_name: entity.instance_name,
      __plugin_id: entity.id,
      __ws_id: entity.ws_id,
      __key__: key,
      __seq__: seq,
    }),
  );
}

/** A deep copy without members that are null: an absent field of a Lua table. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
  const copy: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value))
    if (member !== null && member !== undefined) setOwn(copy, name, withoutNulls(member));
  return copy;
}
