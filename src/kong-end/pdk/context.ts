import { isSendable } from '../../pdk/catalogue/index.ts';
import { reject } from './checks.ts';
import type { Implementations, PdkCall } from './types.ts';

/** A value as a Lua table holds it: nil members are not there; over ProtoBuf:1 a null in a list is `NULL_VALUE`. */
function luaValue(value: unknown, call: PdkCall): unknown {
  if (Array.isArray(value)) {
    const list = (value as unknown[]).map((each) =>
      each === null && call.protocol === 'protobuf' ? 'NULL_VALUE' : luaValue(each, call),
    );
    while (list.length > 0 && list.at(-1) === null) list.pop();
    return list;
  }
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
  const copy = Object.create(null) as Record<string, unknown>;
  for (const [name, member] of Object.entries(value)) {
    if (member !== null && member !== undefined) copy[name] = luaValue(member, call);
  }
  return copy;
}

function setIn(map: Map<unknown, unknown>, call: PdkCall, key: unknown, value: unknown): null {
  if (key === null || key === undefined) return reject('table index is nil');
  if (value === null || value === undefined) map.delete(key);
  else map.set(key, luaValue(value, call));
  return null;
}

/** What Kong itself keeps in ngx.ctx and plugins are known to read. */
function ownContext({ exchange, plugin }: PdkCall, key: unknown): unknown {
  switch (key) {
    case 'KONG_PROCESSING_START':
      return Math.floor(exchange.startedAt);
    case 'plugin_id':
      return plugin.entity.id;
    case 'workspace':
      return exchange.workspace?.id ?? null;
    default:
      return null;
  }
}

/**
 * A value as it leaves. An empty table has no kind in Lua, and each protocol sees its own in it (measured on Kong 3.9.3).
 * A function stands for all that has no form on the wire: ProtoBuf:1 sends nothing for it, MsgPack:1 calls it. A Map is
 * a table whose keys are numbers. No protocol ends for a table that holds itself (read in Kong 3.9.3).
 * @throws PdkRejection
 */
function sent(value: unknown, call: PdkCall, above: readonly unknown[] = []): unknown {
  if (typeof value === 'function') {
    return call.protocol === 'protobuf' ? null : reject('attempt to perform arithmetic on a table value');
  }
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
  if (above.includes(value)) return reject('stack overflow');
  const within = [...above, value];
  if (value instanceof Map) {
    if (call.protocol === 'protobuf') return reject("string expected for field 'fields', got number");
    return new Map([...value].map(([key, member]) => [key, sent(member, call, within)]));
  }
  if (Object.keys(value).length === 0) return call.protocol === 'protobuf' ? {} : [];
  if (Array.isArray(value)) return value.map((each: unknown) => sent(each, call, within));
  const copy = Object.create(null) as Record<string, unknown>;
  for (const [name, member] of Object.entries(value)) copy[name] = sent(member, call, within);
  return copy;
}

function getContext(call: PdkCall, key: unknown): unknown {
  const set = call.exchange.ngxContext.get(key);
  if (set === undefined && typeof key === 'string' && !isSendable(key)) {
    return reject(`${key}: bad value, functions and tables that hold themselves cannot be encoded`);
  }
  return sent(set ?? ownContext(call, key), call);
}

export const contextFunctions: Implementations = {
  'kong.ctx.shared.get': (call, [key]) => sent(call.exchange.shared.get(key) ?? null, call),
  'kong.ctx.shared.set': (call, [key, value]) => setIn(call.exchange.shared, call, key, value),
  'kong.nginx.get_ctx': (call, [key]) => getContext(call, key),
  'kong.nginx.set_ctx': (call, [key, value]) => setIn(call.exchange.ngxContext, call, key, value),
};
