import { Buffer } from 'node:buffer';
import type { CheckName } from './catalogue.ts';
import type { PhaseChannel } from './channel.ts';
import { isOwnedByKong, isSendable } from './ctx-keys.ts';
import { checkHeaders, checkHeaderValue } from './header-checks.ts';
import { isPlainObject, toLuaValue, Unsendable } from './json-values.ts';
import { checkQuery } from './query-checks.ts';
import { argumentRefusal, describe } from './refusals.ts';
import type { CheckContext } from './refusals.ts';
import { leadsThroughPlainValue } from './serialize-keys.ts';
import { httpMethods } from './types/values.ts';

/** Returns the value as it travels. @throws KongTsError PDK_INVALID_ARGUMENT */
type Run = (value: unknown, context: CheckContext, channel: PhaseChannel) => unknown;

interface Check {
  /** What is allowed, for messages and the reference page. */
  readonly allowed: string;
  readonly run: Run;
}

/** kong.response.exit takes these only in preread (Kong 3.9). */
const streamStatuses: readonly unknown[] = [200, 400, 403, 500, 502, 503];
const streamStatusesText = 'one of 200, 400, 403, 500, 502 and 503 in the preread phase';

/** Kong's default when no maximum is given; sent explicitly, since ProtoBuf:1 turns "none" into an invalid 0. */
export const defaultMaximum = 100;

function rule(allowed: string, accepts: (value: unknown) => boolean, send?: Run): Check {
  return {
    allowed,
    run: (value, context, channel) => {
      if (!accepts(value)) throw argumentRefusal(context.row, context.argument.name, value, allowed);
      return send === undefined ? value : send(value, context, channel);
    },
  };
}

function integer(from: number, to: number, unit = ''): Check {
  return rule(
    `an integer from ${from} to ${to}${unit}`,
    (value) => Number.isInteger(value) && (value as number) >= from && (value as number) <= to,
  );
}

const isText = (value: unknown) => typeof value === 'string';
const isBytes = (value: unknown) => typeof value === 'string' || value instanceof Uint8Array;
const isFilled = (value: unknown) => typeof value === 'string' && value !== '';

/** Bytes travel as Buffers, so that both codecs take them without a copy. */
export function asBytes(value: unknown): unknown {
  if (!(value instanceof Uint8Array) || Buffer.isBuffer(value)) return value;
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

/** @throws KongTsError PDK_INVALID_ARGUMENT for what Lua cannot hold */
export function checkJson(value: unknown, { row, argument }: CheckContext, channel: PhaseChannel): unknown {
  try {
    return toLuaValue(value, channel.protocol, argument.name);
  } catch (thrown) {
    if (thrown instanceof Unsendable) throw argumentRefusal(row, thrown.where, thrown.given, thrown.allowed);
    throw thrown;
  }
}

/** One value of a log line as text that Kong writes unchanged. */
function logText(value: unknown): unknown {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (value === true) return value;
  if (value === null || value === undefined) return 'nil';
  if (value instanceof Error) return value.stack ?? String(value);
  if (typeof value !== 'object') return describe(value);
  try {
    return JSON.stringify(value) ?? 'nil';
  } catch {
    return '(a value with a cycle)';
  }
}

export const checks: Readonly<Record<CheckName, Check>> = {
  text: rule('a string', isText),
  headerName: rule('a header name that is not empty', isFilled),
  headerValue: { allowed: 'a string, a number, a boolean or an array of strings', run: checkHeaderValue },
  headers: {
    allowed: 'an object whose values are strings, numbers, booleans or arrays of strings',
    run: checkHeaders,
  },
  maximum: integer(1, 1000),
  status: integer(100, 599),
  exitStatus: {
    allowed: 'an integer from 100 to 599 (in preread 200, 400, 403, 500, 502 or 503)',
    run: (value, context, channel) => {
      const stream = channel.phase === 'preread';
      const good = stream
        ? streamStatuses.includes(value)
        : Number.isInteger(value) && (value as number) >= 100 && (value as number) <= 599;
      if (good) return value;
      const allowed = stream ? streamStatusesText : 'an integer from 100 to 599';
      throw argumentRefusal(context.row, context.argument.name, value, allowed);
    },
  },
  errorStatus: integer(400, 599),
  exitBody: rule(
    'a string, bytes, an object or an array',
    (value) => isBytes(value) || (typeof value === 'object' && value !== null),
    asBytes,
  ),
  errorMessage: rule(
    'a string, an object or an array',
    (value) => isText(value) || isPlainObject(value) || Array.isArray(value),
  ),
  scheme: rule("'http' or 'https'", (value) => value === 'http' || value === 'https'),
  path: rule('a string that starts with /', (value) => typeof value === 'string' && value.startsWith('/')),
  method: rule(`one of ${httpMethods.join(', ')}`, (value) => httpMethods.some((method) => method === value)),
  query: {
    allowed: 'an object whose values are strings, numbers, booleans or arrays of them',
    run: checkQuery,
  },
  bytes: rule('a string or bytes', isBytes, asBytes),
  form: rule('an object or an array', (value) => isPlainObject(value) || Array.isArray(value)),
  upstream: rule('a string that is not empty', isFilled),
  port: integer(0, 65_535),
  retries: integer(0, 32_767),
  timeout: integer(1, 2_147_483_646, ' (milliseconds)'),
  depth: integer(0, 2_147_483_647),
  flag: rule('a boolean', (value) => typeof value === 'boolean'),
  fileSize: rule(
    'an integer of bytes, 0 or more',
    (value) => Number.isSafeInteger(value) && (value as number) >= 0,
  ),
  consumerId: rule('a string that is not empty', isFilled),
  record: rule('an object or null', isPlainObject, checkJson),
  json: { allowed: 'a JSON value', run: checkJson },
  ctxKey: rule(
    'a string, and no name under which Kong keeps what it cannot send',
    (value) => typeof value === 'string' && isSendable(value),
  ),
  setCtxKey: rule(
    'a string, and no name that Kong itself works with',
    (value) => typeof value === 'string' && !isOwnedByKong(value),
  ),
  serializeKey: rule(
    'a string, and no key below a field of the record that is not an object',
    (value) => typeof value === 'string' && !leadsThroughPlainValue(value),
  ),
  serializeOptions: {
    allowed: "{ mode: 'set' | 'add' | 'replace' }; over ProtoBuf:1 'set' only",
    run: (value, { row, argument }, channel) => {
      const mode = isPlainObject(value) ? (value['mode'] ?? 'set') : null;
      if (mode === 'set') return undefined;
      if ((mode === 'add' || mode === 'replace') && channel.protocol === 'msgpack') return { mode };
      throw argumentRefusal(
        row,
        argument.name,
        isPlainObject(value) ? mode : value,
        checks.serializeOptions.allowed,
      );
    },
  },
  logValues: { allowed: 'any value', run: logText },
  clientVerify: rule(
    "'SUCCESS', 'NONE' or 'FAILED:<reason>'",
    (value) =>
      value === 'SUCCESS' || value === 'NONE' || (typeof value === 'string' && value.startsWith('FAILED:')),
  ),
  memoryUnit: {
    allowed: "'b', 'k', 'm' or 'g'; over ProtoBuf:1 'b' only",
    run: (value, { row, argument }, channel) => {
      const units = channel.protocol === 'msgpack' ? 'bkmg' : 'b';
      if (typeof value === 'string' && value.length === 1 && units.includes(value.toLowerCase()))
        return value;
      throw argumentRefusal(row, argument.name, value, checks.memoryUnit.allowed);
    },
  },
};
