import { Buffer } from 'node:buffer';
import { setOwn } from '../../base/set-own.ts';
import { KongTsError } from '../../base/errors.ts';
import { decodeText } from '../../base/text.ts';
import { commandFields } from './messages.ts';
import type {
  ArgumentsMessage,
  InstanceStatus,
  PluginInfo,
  RawBodyResult,
  ResultMessage,
  RpcCall,
  RpcCommand,
  RpcReturn,
  UriCapturesResult,
} from './messages.ts';
import {
  int1Key,
  double1Key,
  bytes1Key,
  int2Key,
  bytes2Key,
  bytes3Key,
  sequenceKey,
  writeIntField,
  writeTextField,
} from './fields.ts';
import { Reader, malformed } from './reader.ts';
import { readRecord, recordTypes, writeRecord } from './records.ts';
import { readStruct, readValue, writeList, writeStruct, writeValue } from './struct.ts';
import { bytesType, varintType, Writer } from './writer.ts';

type Args = readonly unknown[];
type Plain = Readonly<Record<string, unknown>>;

const commandKeys = new Map<number, RpcCommand['type']>(
  Object.entries(commandFields).map(([type, field]) => [field * 8 + bytesType, type as RpcCommand['type']]),
);

/** @throws KongTsError FRAME_MALFORMED */
export function decodeRpcCall(bytes: Buffer): RpcCall {
  const reader = new Reader(bytes);
  let sequence: number | bigint = 0;
  let command: RpcCommand | null = null;
  while (reader.more) {
    const key = reader.key();
    if (key === sequenceKey) {
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
 * Reads what it can of a call that `decodeRpcCall` refuses: the sequence (null where there is none) and the command. It
 * never throws.
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
      if (key === sequenceKey) sequence = reader.int64();
      else {
        type = commandKeys.get(key) ?? type;
        reader.skip(key);
      }
    }
  } catch {
    // The fields before the malformed one are kept.
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
    if (key === 1 * 8 + varintType) id = reader.int32();
    else if (key === 1 * 8 + bytesType) name = reader.text();
    else if (key === 2 * 8 + bytesType) {
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

/** The answer that ends an event: an empty frame, then a frame with an RpcReturn that has nothing but its sequence. */
export function writeEventEnd(writer: Writer, sequence: number | bigint): void {
  writer.endFrame(writer.beginFrame());
  const mark = writer.beginFrame();
  writer.byte(sequenceKey);
  writer.int64(sequence);
  writer.endFrame(mark);
}

/** The bytes of one RpcReturn, without a frame around them. */
export function encodeRpcReturn(answer: RpcReturn): Buffer {
  const writer = new Writer();
  writer.byte(sequenceKey);
  writer.int64(answer.sequence);
  const { result } = answer;
  if (result === null) return writer.copy();
  writer.key({ pluginNames: 31, pluginInfo: 32, instanceStatus: 33 }[result.type], bytesType);
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
    writer.key(3, bytesType);
    const mark = writer.begin();
    writeValue(writer, status.config);
    writer.end(mark);
  }
  writeIntField(writer, 4, status.startedAt);
}

/**
 * Writes the positional arguments of a PDK function as the message that carries them over ProtoBuf:1. Arguments that
 * are undefined or null are left out, which Kong's Lua reads as nil.
 * @throws KongTsError PDK_INVALID_ARGUMENT for a value that cannot travel
 */
export function writeArguments(writer: Writer, type: ArgumentsMessage, args: Args): void {
  const [first, second, third] = args;
  switch (type) {
    case 'google.protobuf.Empty':
      return;
    case 'google.protobuf.ListValue':
      writeList(writer, args);
      return;
    case 'google.protobuf.Struct':
      if (first != null) writeStruct(writer, first as Plain);
      return;
    case 'google.protobuf.Value':
      writeValue(writer, first);
      return;
    case 'Bool':
      writeBool(writer, int1Key, first);
      return;
    case 'Int':
      writeInt(writer, int1Key, first);
      return;
    case 'String':
      writeTextArgument(writer, bytes1Key, first);
      return;
    case 'ByteString':
      writeTextArgument(writer, bytes1Key, first);
      return;
    case 'KV':
      writeTextArgument(writer, bytes1Key, first);
      writePart(writer, bytes2Key, second, writeValue);
      return;
    case 'ExitArgs':
      writeInt(writer, int1Key, first);
      writeTextArgument(writer, bytes2Key, second);
      writePart(writer, bytes3Key, third as Plain | null | undefined, writeStruct);
      return;
    case 'Target':
      writeTextArgument(writer, bytes1Key, first);
      writeInt(writer, int2Key, second);
      return;
    case 'ConsumerSpec':
      writeTextArgument(writer, bytes1Key, first);
      writeBool(writer, int2Key, second);
      return;
    case 'AuthenticateArgs':
      writePart(writer, bytes1Key, first as Plain | null | undefined, writeConsumer);
      writePart(writer, bytes2Key, second as Plain | null | undefined, writeCredential);
      return;
  }
}

const writeConsumer = (writer: Writer, value: Plain) => writeRecord(writer, recordTypes.Consumer, value);
const writeCredential = (writer: Writer, value: Plain) =>
  writeRecord(writer, recordTypes.AuthenticatedCredential, value);

function writePart<T>(
  writer: Writer,
  key: number,
  value: T,
  write: (writer: Writer, value: NonNullable<T>) => void,
) {
  if (value === undefined || value === null) return;
  writer.byte(key);
  const mark = writer.begin();
  write(writer, value);
  writer.end(mark);
}

function writeTextArgument(writer: Writer, key: number, value: unknown): void {
  if (value === undefined || value === null) return;
  writer.byte(key);
  if (typeof value === 'string') writer.text(value);
  else if (value instanceof Uint8Array) writer.blob(value);
  else if (typeof value === 'number' || typeof value === 'boolean') writer.text(String(value));
  else throw new KongTsError('PDK_INVALID_ARGUMENT', `A string was expected, not ${describe(value)}.`);
}

function writeInt(writer: Writer, key: number, value: unknown): void {
  if (value === undefined || value === null) return;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < -0x80000000 || value > 0x7fffffff) {
    throw new KongTsError(
      'PDK_INVALID_ARGUMENT',
      `An integer of 32 bits was expected, not ${describe(value)}.`,
    );
  }
  writer.byte(key);
  writer.varint(value);
}

function writeBool(writer: Writer, key: number, value: unknown): void {
  if (value === undefined || value === null) return;
  writer.byte(key);
  writer.byte(value === true ? 1 : 0);
}

function describe(value: unknown): string {
  return typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : `a value of type ${typeof value}`;
}

/** The argument message as bytes of its own. */
export function encodeArguments(type: ArgumentsMessage, args: Args): Buffer {
  const writer = new Writer();
  writeArguments(writer, type, args);
  return writer.copy();
}

/**
 * Decodes Kong's answer to a PDK call. ProtoBuf:1 leaves out zero values: an empty message is '' for a String, 0 for
 * a number, false for a Bool, null for a Value or a record. @throws KongTsError FRAME_MALFORMED
 */
export function decodeResult(type: ResultMessage, bytes: Buffer): unknown {
  switch (type) {
    case 'google.protobuf.Empty':
      return null;
    case 'String':
      return decodeString(bytes);
    case 'Int':
      return readScalar(bytes, int1Key, 0, (reader) => reader.int32());
    case 'Bool':
      return readScalar(bytes, int1Key, false, (reader) => reader.bool());
    case 'Number':
      return readScalar(bytes, double1Key, 0, (reader) => reader.double());
    case 'ByteString':
      return readScalar(bytes, bytes1Key, Buffer.alloc(0), (reader) => reader.blob());
    case 'google.protobuf.Struct':
      return readStruct(new Reader(bytes));
    case 'google.protobuf.Value':
      return readValue(new Reader(bytes), 0);
    case 'RawBodyResult':
      return decodeRawBody(bytes);
    case 'UriCapturesResult':
      return decodeUriCaptures(bytes);
    case 'Consumer':
    case 'AuthenticatedCredential':
    case 'Route':
    case 'Service':
    case 'MemoryStats':
      return bytes.length === 0 ? null : readRecord(new Reader(bytes), recordTypes[type]);
  }
}

function decodeString(bytes: Buffer): string {
  if (bytes.length === 0) return '';
  // The answer is one field whose length fits a byte, as nearly every answer is.
  if (bytes[0] === bytes1Key && bytes[1] === bytes.length - 2 && bytes.length < 0x82)
    return decodeText(bytes, 2);
  return readScalar(bytes, bytes1Key, '', (reader) => reader.text());
}

function readScalar<T>(bytes: Buffer, key: number, absent: T, read: (reader: Reader) => T): T {
  const reader = new Reader(bytes);
  let value = absent;
  while (reader.more) {
    const found = reader.key();
    if (found === key) value = read(reader);
    else reader.skip(found);
  }
  return value;
}

function decodeRawBody(bytes: Buffer): RawBodyResult {
  const reader = new Reader(bytes);
  let result: RawBodyResult = { content: Buffer.alloc(0) };
  while (reader.more) {
    const key = reader.key();
    if (key === bytes1Key) result = { content: reader.blob() };
    else if (key === bytes2Key) result = { body_filepath: reader.text() };
    else if (key === bytes3Key) result = { error: reader.text() };
    else reader.skip(key);
  }
  return result;
}

function decodeUriCaptures(bytes: Buffer): UriCapturesResult {
  const reader = new Reader(bytes);
  const unnamed: string[] = [];
  const named: Record<string, string> = {};
  while (reader.more) {
    const key = reader.key();
    if (key === bytes1Key) unnamed.push(reader.text());
    else if (key === bytes2Key) {
      const outer = reader.end;
      reader.end = reader.part();
      let name = '';
      let value = '';
      while (reader.more) {
        const part = reader.key();
        if (part === bytes1Key) name = reader.text();
        else if (part === bytes2Key) value = reader.text();
        else reader.skip(part);
      }
      reader.end = outer;
      setOwn(named, name, value);
    } else reader.skip(key);
  }
  return { unnamed, named };
}
