import { Buffer } from 'node:buffer';
import { Reader, malformed } from './reader.ts';
import { readValue, writeValue } from './struct.ts';
import { BYTES, VARINT, Writer } from './writer.ts';

/** What Kong asks a plugin server for. Instance ids are int32. */
export type RpcCommand =
  | { readonly type: 'getPluginNames' }
  | { readonly type: 'getPluginInfo'; readonly name: string }
  /** `config` is JSON in UTF-8, with Kong's `__` fields in it. */
  | { readonly type: 'startInstance'; readonly name: string; readonly config: Buffer }
  | { readonly type: 'getInstanceStatus'; readonly instanceId: number }
  | { readonly type: 'closeInstance'; readonly instanceId: number }
  | { readonly type: 'handleEvent'; readonly instanceId: number; readonly eventName: string };

/** One request of Kong over ProtoBuf:1. The answer carries the same sequence. */
export interface RpcCall {
  readonly sequence: number | bigint;
  readonly command: RpcCommand;
}

/** `startedAt` is in seconds since 1970. */
export interface InstanceStatus {
  readonly name: string;
  readonly instanceId: number;
  readonly config?: unknown;
  readonly startedAt: number | bigint;
}

export interface PluginInfo {
  readonly name: string;
  readonly version: string;
  readonly priority: number;
  readonly phases: readonly string[];
  /** Kong's schema as JSON. */
  readonly schema: string;
  readonly updatedAt?: number | bigint;
  readonly loadedAt?: number | bigint;
}

export type RpcResult =
  | { readonly type: 'pluginNames'; readonly names: readonly string[] }
  | { readonly type: 'pluginInfo'; readonly info: PluginInfo }
  | { readonly type: 'instanceStatus'; readonly status: InstanceStatus };

/** The answer to an RpcCall; `result` is null after an event. */
export interface RpcReturn {
  readonly sequence: number | bigint;
  readonly result: RpcResult | null;
}

const SEQUENCE = 1 * 8 + VARINT;
const commandFields = {
  getPluginNames: 31,
  getPluginInfo: 32,
  startInstance: 33,
  getInstanceStatus: 34,
  closeInstance: 35,
  handleEvent: 36,
} as const;
const commandKeys = new Map<number, RpcCommand['type']>(
  Object.entries(commandFields).map(([type, field]) => [field * 8 + BYTES, type as RpcCommand['type']]),
);

/** @throws KongTsError FRAME_MALFORMED */
export function decodeRpcCall(bytes: Buffer): RpcCall {
  const reader = new Reader(bytes);
  let sequence: number | bigint = 0;
  let command: RpcCommand | null = null;
  while (reader.more) {
    const key = reader.key();
    if (key === SEQUENCE) {
      sequence = reader.int64();
      continue;
    }
    const type = commandKeys.get(key);
    if (type === undefined) reader.skip(key);
    else command = readCommand(reader, type);
  }
  return { sequence, command: command ?? malformed('an RpcCall has no command that is known here') };
}

/**
 * What can be read of a call that `decodeRpcCall` refuses: its sequence, null where there is none, and the command that it
 * was to be. Never throws.
 */
export function glimpseRpcCall(bytes: Buffer): {
  sequence: number | bigint | null;
  type: RpcCommand['type'] | null;
} {
  const reader = new Reader(bytes);
  let sequence: number | bigint | null = null;
  let type: RpcCommand['type'] | null = null;
  try {
    while (reader.more) {
      const key = reader.key();
      if (key === SEQUENCE) sequence = reader.int64();
      else {
        type = commandKeys.get(key) ?? type;
        reader.skip(key);
      }
    }
  } catch {
    // What came before that is what there is.
  }
  return { sequence, type };
}

function readCommand(reader: Reader, type: RpcCommand['type']): RpcCommand {
  const outer = reader.end;
  reader.end = reader.part();
  let id = 0;
  let name = '';
  let second: Buffer | null = null;
  while (reader.more) {
    const key = reader.key();
    if (key === 1 * 8 + VARINT) id = reader.int32();
    else if (key === 1 * 8 + BYTES) name = reader.text();
    else if (key === 2 * 8 + BYTES) {
      if (type === 'handleEvent') name = reader.text();
      else second = reader.blob();
    } else reader.skip(key);
  }
  reader.end = outer;
  switch (type) {
    case 'getPluginNames':
      return { type };
    case 'getPluginInfo':
      return { type, name };
    case 'startInstance':
      return { type, name, config: second ?? Buffer.alloc(0) };
    case 'getInstanceStatus':
    case 'closeInstance':
      return { type, instanceId: id };
    case 'handleEvent':
      return { type, instanceId: id, eventName: name };
  }
}

/** Kong's side: the bytes of one RpcCall, without a frame around them. */
export function encodeRpcCall(call: RpcCall): Buffer {
  const { command } = call;
  const writer = new Writer();
  writer.byte(SEQUENCE);
  writer.int64(call.sequence);
  writer.key(commandFields[command.type], BYTES);
  const mark = writer.begin();
  switch (command.type) {
    case 'getPluginNames':
      break;
    case 'getPluginInfo':
      writeTextField(writer, 1, command.name);
      break;
    case 'startInstance':
      writeTextField(writer, 1, command.name);
      writer.key(2, BYTES);
      writer.blob(command.config);
      break;
    case 'getInstanceStatus':
    case 'closeInstance':
      writeIntField(writer, 1, command.instanceId);
      break;
    case 'handleEvent':
      writeIntField(writer, 1, command.instanceId);
      writeTextField(writer, 2, command.eventName);
      break;
  }
  writer.end(mark);
  return writer.copy();
}

/** The answer that ends an event: an empty frame, then a frame with an RpcReturn that has nothing but its sequence. */
export function writeEventEnd(writer: Writer, sequence: number | bigint): void {
  writer.endFrame(writer.beginFrame());
  const mark = writer.beginFrame();
  writer.byte(SEQUENCE);
  writer.int64(sequence);
  writer.endFrame(mark);
}

/** The bytes of one RpcReturn, without a frame around them. */
export function encodeRpcReturn(answer: RpcReturn): Buffer {
  const writer = new Writer();
  writer.byte(SEQUENCE);
  writer.int64(answer.sequence);
  const { result } = answer;
  if (result === null) return writer.copy();
  writer.key({ pluginNames: 31, pluginInfo: 32, instanceStatus: 33 }[result.type], BYTES);
  const mark = writer.begin();
  if (result.type === 'pluginNames') for (const name of result.names) writeTextField(writer, 1, name);
  else if (result.type === 'pluginInfo') writePluginInfo(writer, result.info);
  else writeInstanceStatus(writer, result.status);
  writer.end(mark);
  return writer.copy();
}

function writePluginInfo(writer: Writer, info: PluginInfo): void {
  writeTextField(writer, 1, info.name);
  if (info.updatedAt !== undefined) writeIntField(writer, 2, info.updatedAt);
  if (info.loadedAt !== undefined) writeIntField(writer, 3, info.loadedAt);
  for (const phase of info.phases) writeTextField(writer, 4, phase);
  writeTextField(writer, 5, info.version);
  writeIntField(writer, 6, info.priority);
  writeTextField(writer, 7, info.schema);
}

function writeInstanceStatus(writer: Writer, status: InstanceStatus): void {
  writeTextField(writer, 1, status.name);
  writeIntField(writer, 2, status.instanceId);
  if (status.config !== undefined) {
    writer.key(3, BYTES);
    const mark = writer.begin();
    writeValue(writer, status.config);
    writer.end(mark);
  }
  writeIntField(writer, 4, status.startedAt);
}

/** Kong's side. @throws KongTsError FRAME_MALFORMED */
export function decodeRpcReturn(bytes: Buffer): RpcReturn {
  const reader = new Reader(bytes);
  let sequence: number | bigint = 0;
  let result: RpcResult | null = null;
  while (reader.more) {
    const key = reader.key();
    if (key === SEQUENCE) {
      sequence = reader.int64();
      continue;
    }
    const field = (key & 7) === BYTES ? key >>> 3 : 0;
    if (field < 31 || field > 33) {
      reader.skip(key);
      continue;
    }
    const outer = reader.end;
    reader.end = reader.part();
    if (field === 31) result = { type: 'pluginNames', names: readNames(reader) };
    else if (field === 32) result = { type: 'pluginInfo', info: readPluginInfo(reader) };
    else result = { type: 'instanceStatus', status: readInstanceStatus(reader) };
    reader.end = outer;
  }
  return { sequence, result };
}

function readNames(reader: Reader): string[] {
  const names: string[] = [];
  while (reader.more) {
    const key = reader.key();
    if (key === 1 * 8 + BYTES) names.push(reader.text());
    else reader.skip(key);
  }
  return names;
}

function readPluginInfo(reader: Reader): PluginInfo {
  const info = { name: '', version: '', priority: 0, phases: [] as string[], schema: '' };
  let updatedAt: number | bigint | undefined;
  let loadedAt: number | bigint | undefined;
  while (reader.more) {
    const key = reader.key();
    if (key === 1 * 8 + BYTES) info.name = reader.text();
    else if (key === 2 * 8 + VARINT) updatedAt = reader.int64();
    else if (key === 3 * 8 + VARINT) loadedAt = reader.int64();
    else if (key === 4 * 8 + BYTES) info.phases.push(reader.text());
    else if (key === 5 * 8 + BYTES) info.version = reader.text();
    else if (key === 6 * 8 + VARINT) info.priority = reader.int32();
    else if (key === 7 * 8 + BYTES) info.schema = reader.text();
    else reader.skip(key);
  }
  return {
    ...info,
    ...(updatedAt === undefined ? {} : { updatedAt }),
    ...(loadedAt === undefined ? {} : { loadedAt }),
  };
}

function readInstanceStatus(reader: Reader): InstanceStatus {
  const status: { name: string; instanceId: number; startedAt: number | bigint; config?: unknown } = {
    name: '',
    instanceId: 0,
    startedAt: 0,
  };
  while (reader.more) {
    const key = reader.key();
    if (key === 1 * 8 + BYTES) status.name = reader.text();
    else if (key === 2 * 8 + VARINT) status.instanceId = reader.int32();
    else if (key === 3 * 8 + BYTES) {
      const outer = reader.end;
      reader.end = reader.part();
      status.config = readValue(reader, 0);
      reader.end = outer;
    } else if (key === 4 * 8 + VARINT) status.startedAt = reader.int64();
    else reader.skip(key);
  }
  return status;
}

function writeTextField(writer: Writer, field: number, value: string): void {
  writer.key(field, BYTES);
  writer.text(value);
}

function writeIntField(writer: Writer, field: number, value: number | bigint): void {
  writer.key(field, VARINT);
  writer.int64(value);
}
