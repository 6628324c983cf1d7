import { Buffer } from 'node:buffer';
import { setOwn } from '../base/set-own.ts';
import { KongTsError } from '../base/errors.ts';
import type { ResultSpec } from './catalogue.ts';
import { toConsumer, toCredential, toRoute, toService } from './entity-results.ts';
import type { MemoryStats, UriCaptures } from './types/values.ts';
import { decodeText, encodeText } from '../base/text.ts';

/** Makes one JavaScript value of what either protocol decodes to. */
export type Decode = (value: unknown) => unknown;

const emptyBuffer = Buffer.alloc(0);

/** The conversion for a result of the catalogue. */
export function decoderOf({ kind, empty }: ResultSpec): Decode {
  switch (kind) {
    case 'void':
      return () => undefined;
    case 'text':
      return empty === 'null' ? textOrNull : text;
    case 'number':
      return empty === 'null' ? numberOrNull : number;
    case 'boolean':
      return (value) => value === true;
    case 'value':
      return (value) => value ?? null;
    case 'headers':
      return toHeaders;
    case 'query':
      return toQuery;
    case 'bytes':
      return toBytes;
    case 'rawBody':
      return (value) => value;
    case 'captures':
      return toCaptures;
    case 'consumer':
      return toConsumer;
    case 'credential':
      return toCredential;
    case 'route':
      return toRoute;
    case 'service':
      return toService;
    case 'memoryStats':
      return toMemoryStats;
    case 'record':
      return toRecord;
  }
}

function toRecord(value: unknown): unknown {
  try {
    return JSON.parse(text(value)) as unknown;
  } catch (cause) {
    throw new KongTsError('PDK_CALL_FAILED', 'kong.log.serialize(): Kong sent a record that is not JSON.', {
      cause,
    });
  }
}

function text(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return '';
  if (Buffer.isBuffer(value)) return decodeText(value);
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : JSON.stringify(value);
}

function textOrNull(value: unknown): string | null {
  return value === null || value === undefined || value === '' ? null : text(value);
}

function number(value: unknown): number {
  return typeof value === 'number' ? value : Number(value ?? 0);
}

/** 0 is not a status: over ProtoBuf:1 it stands for nil. */
function numberOrNull(value: unknown): number | null {
  return number(value) === 0 ? null : number(value);
}

/** Bodies; Kong sends them as bytes over both protocols. */
export function toBytes(value: unknown): Buffer {
  if (Buffer.isBuffer(value)) return value;
  return typeof value === 'string' ? encodeText(value) : emptyBuffer;
}

type Fields = Record<string, unknown>;

/** ProtoBuf:1 has a text or a list per header; MsgPack:1 always a list. */
function toHeaders(value: unknown): unknown {
  const out: Fields = {};
  for (const [name, lines] of Object.entries((value ?? {}) as Fields)) {
    if (!Array.isArray(lines)) setOwn(out, name, text(lines));
    else if (lines.length === 1) setOwn(out, name, text(lines[0]));
    else if (lines.length === 0) setOwn(out, name, '');
    else setOwn(out, name, lines.map(text));
  }
  return out;
}

/** ProtoBuf:1 has true, a text or a list; MsgPack:1 a list, which is empty for an argument without a value. */
function toQuery(value: unknown): unknown {
  const out: Fields = {};
  for (const [name, given] of Object.entries((value ?? {}) as Fields)) {
    if (!Array.isArray(given)) setOwn(out, name, given === true ? true : text(given));
    else if (given.length === 0) setOwn(out, name, true);
    else if (given.length === 1) setOwn(out, name, given[0] === true ? true : text(given[0]));
    else
      setOwn(
        out,
        name,
        given.map((item: unknown) => (item === true ? true : text(item))),
      );
  }
  return out;
}

/** MsgPack:1 sends a Lua table that also holds the whole match under 0; ProtoBuf:1 a list without it. */
function toCaptures(value: unknown): UriCaptures {
  const { unnamed, named } = (value ?? {}) as { unnamed?: unknown; named?: unknown };
  return { unnamed: toCaptureList(unnamed), named: toHeaders(named) as Record<string, string> };
}

function toCaptureList(unnamed: unknown): string[] {
  if (Array.isArray(unnamed)) return unnamed.map(text);
  const entries = unnamed instanceof Map ? [...unnamed] : Object.entries((unnamed ?? {}) as Fields);
  return entries
    .map(([at, capture]): [number, string] => [Number(at), text(capture)])
    .filter(([at]) => at > 0)
    .sort(([a], [b]) => a - b)
    .map(([, capture]) => capture);
}

function toMemoryStats(value: unknown): MemoryStats {
  const stats = (value ?? {}) as Partial<MemoryStats>;
  const vms: unknown = stats.workers_lua_vms;
  return {
    lua_shared_dicts: stats.lua_shared_dicts ?? {},
    workers_lua_vms: Array.isArray(vms) ? (vms as MemoryStats['workers_lua_vms']) : [],
  };
}
