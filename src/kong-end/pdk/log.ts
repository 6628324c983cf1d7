import type { LogLevel } from '../request/log.ts';
import { reject } from './checks.ts';
import { serialize } from './serialize.ts';
import type { Implementation, Implementations, PdkCall } from './types.ts';

/** A value as Lua's tostring writes it. */
function toText(value: unknown): string {
  if (value === null || value === undefined) return 'nil';
  if (Buffer.isBuffer(value)) return value.toString('latin1');
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return String(value);
  return 'table: 0x000000000000';
}

function writeLine(call: PdkCall, level: LogLevel, args: readonly unknown[]): null {
  // Lua counts to the last value that is not nil; ProtoBuf:1 cannot carry false.
  const missing = (value: unknown): boolean =>
    value === null || value === undefined || (call.protocol === 'protobuf' && value === false);
  if (args.every(missing)) return reject("bad argument #1 to 'select' (index out of range)");
  const prefix = `[kong] [${call.plugin.entity.name}] `;
  call.exchange.node.log(level, prefix + args.map(toText).join(''));
  return null;
}

const writer =
  (level: LogLevel): Implementation =>
  (call, args) =>
    writeLine(call, level, args);

export const logFunctions: Implementations = {
  'kong.log': writer('notice'),
  'kong.log.emerg': writer('emerg'),
  'kong.log.alert': writer('alert'),
  'kong.log.crit': writer('crit'),
  'kong.log.err': writer('error'),
  'kong.log.warn': writer('warn'),
  'kong.log.notice': writer('notice'),
  'kong.log.info': writer('info'),
  'kong.log.debug': writer('debug'),
  'kong.log.deprecation': writer('warn'),
  'kong.log.inspect': (call, args) =>
    writeLine(call, 'notice', [args.map((arg) => JSON.stringify(arg)).join(' ')]),
  'kong.log.set_serialize_value': ({ exchange, phase }, [key, value, options]) => {
    if (typeof key !== 'string') return reject('key must be a string');
    const mode = (options as { mode?: unknown } | null | undefined)?.mode ?? 'set';
    if (mode !== 'set' && mode !== 'add' && mode !== 'replace')
      return reject("mode must be 'set', 'add' or 'replace'");
    // In its log phase, a plugin server sets values too late: Kong has made the record before (measured on Kong 3.9.3).
    if (phase !== 'log') exchange.serializeValues.push({ key, value: value ?? null, mode });
    return null;
  },
  'kong.log.serialize': ({ exchange }) => (exchange.serialized ??= serialize(exchange)),
};
