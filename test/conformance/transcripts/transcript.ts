import { Buffer } from 'node:buffer';
import { readFileSync, readdirSync } from 'node:fs';
import { rowByName } from '../../../src/pdk/catalogue.ts';
import type { Phase, Protocol } from '../../../src/pdk/names/phases.ts';
import { decodeText } from '../../../src/base/text.ts';

/** A call of the plugin that was recorded: Kong's name and the arguments. */
export type ScriptedCall = readonly [name: string, ...args: unknown[]];

/** `open`, `close`, bytes of Kong (`<`) or bytes of the plugin server (`>`), by connection. */
export type WireEntry = readonly ['open' | 'close' | '<' | '>', number, string];

export interface RecordedCall {
  readonly phase: Phase;
  readonly method?: string;
  readonly args?: readonly unknown[];
  readonly ok?: { readonly type?: string; readonly has?: boolean; readonly v?: unknown };
  readonly err?: string;
  readonly unknown_instance?: number;
}

/** One session of a real Kong 3.9.3 with a scripted plugin. */
export interface Transcript {
  readonly name: string;
  readonly protocol: Protocol;
  /** The calls of each phase; `mode: "pipe"` starts them all at once. */
  readonly script: Partial<Record<Phase, readonly ScriptedCall[]>> & { readonly mode?: 'pipe' };
  readonly wire: readonly WireEntry[];
  readonly calls: readonly RecordedCall[];
}

const folder = new URL('../../fixtures/kong/transcripts/', import.meta.url);

export const transcripts: readonly Transcript[] = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .sort()
  .map((file) => {
    const recorded = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Omit<
      Transcript,
      'name' | 'protocol'
    > & { protocol: string };
    return {
      ...recorded,
      name: file.replace('.json', ''),
      protocol: recorded.protocol === 'ProtoBuf:1' ? 'protobuf' : 'msgpack',
    };
  });

/** Header bytes that are not UTF-8; the MsgPack:1 recording of them was written down as text. */
const binaryHeader = Buffer.from('fffe41c3a9', 'hex');

/** The value that a recorded call has to resolve with: what our codec decodes. */
export function recordedValue(transcript: Transcript, call: RecordedCall): unknown {
  if (transcript.name.endsWith('binary-header')) return decodeText(binaryHeader);
  if (transcript.protocol === 'msgpack') return call.ok?.has === false ? null : fromMsgpack(call.ok?.v);
  return fromProtobuf(call.ok?.type ?? '', call.ok?.v as Json);
}

type Json = Record<string, unknown>;

function fromMsgpack(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(fromMsgpack);
  const entries = Object.entries(value);
  if (entries.length === 1 && entries[0]?.[0] === 'bin') return Buffer.from(String(entries[0][1]), 'latin1');
  return Object.fromEntries(entries.map(([name, each]) => [name, fromMsgpack(each)]));
}

function fromProtobuf(type: string, v: Json): unknown {
  switch (type) {
    case 'Empty':
      return null;
    case 'String':
      return v['v'] ?? '';
    case 'Int':
    case 'Number':
      return v['v'] ?? 0;
    case 'Bool':
      return v['v'] ?? false;
    case 'ByteString':
      return bytesOf(v['v']);
    case 'Value':
      return fromValue(v);
    case 'Struct':
      return fromStruct(v);
    case 'RawBodyResult':
      return 'content' in v ? { content: bytesOf(v['content']) } : v;
    default:
      return Object.keys(v).length === 0 ? null : v;
  }
}

function bytesOf(value: unknown): Buffer {
  if (typeof value === 'object' && value !== null && 'hex' in value)
    return Buffer.from(String(value.hex), 'hex');
  return Buffer.from(typeof value === 'string' ? value : '', 'latin1');
}

function fromStruct(v: Json): Json {
  const fields = (v['fields'] ?? {}) as Record<string, Json>;
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, fromValue(value)]));
}

function fromValue(v: Json): unknown {
  if ('structValue' in v) return fromStruct(v['structValue'] as Json);
  if ('listValue' in v) return ((v['listValue'] as Json)['values'] as Json[]).map(fromValue);
  return v['stringValue'] ?? v['numberValue'] ?? v['boolValue'] ?? null;
}

/** Zero values of a record may be there or not: the recording left them out. */
export function withoutZeros(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value) || Buffer.isBuffer(value))
    return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== 0 && each !== false && each !== '')
      .map(([name, each]) => [name, withoutZeros(each)]),
  );
}

export function rowOf(name: string) {
  const row = rowByName(name);
  if (row === null) throw new Error(`${name} is not in the catalogue`);
  return row;
}
