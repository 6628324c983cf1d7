import { Buffer } from 'node:buffer';
import { decodeText } from '../../base/text.ts';
import { commandFields } from './messages.ts';
import type {
  ArgumentsMessage,
  InstanceStatus,
  PluginInfo,
  RawBodyResult,
  ResultMessage,
  RpcCall,
  RpcResult,
  RpcReturn,
  UriCapturesResult,
} from './messages.ts';
import {
  int1Key,
  double1Key,
  bytes1Key,
  bytes2Key,
  bytes3Key,
  sequenceKey,
  writeIntField,
  writeTextField,
} from './fields.ts';
import { Reader } from './reader.ts';
import { readRecord, recordTypes, writeRecord } from './records.ts';
import { readList, readStruct, readValue, writeStruct, writeValue } from './struct.ts';
import { bytesType, varintType, Writer } from './writer.ts';

/** Kong's side: the bytes of one RpcCall, without a frame around them. */
export function encodeRpcCall(call: RpcCall): Buffer {
  const { command } = call;
  const writer = new Writer();
  writer.byte(sequenceKey);
  writer.int64(call.sequence);
  writer.key(commandFields[command.type], bytesType);
  const mark = writer.begin();
  switch (command.type) {
    case 'getPluginNames':
      break;
    case 'getPluginInfo':
      writeTextField(writer, 1, command.name);
      break;
    case 'startInstance':
      writeTextField(writer, 1, command.name);
      writer.key(2, bytesType);
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

/** Kong's side. @throws KongTsError FRAME_MALFORMED */
export function decodeRpcReturn(bytes: Buffer): RpcReturn {
  const reader = new Reader(bytes);
  let sequence: number | bigint = 0;
  let result: RpcResult | null = null;
  while (reader.more) {
    const key = reader.key();
    if (key === sequenceKey) {
      sequence = reader.int64();
      continue;
    }
    const field = (key & 7) === bytesType ? key >>> 3 : 0;
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
    if (key === 1 * 8 + bytesType) names.push(reader.text());
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
    if (key === 1 * 8 + bytesType) info.name = reader.text();
    else if (key === 2 * 8 + varintType) updatedAt = reader.int64();
    else if (key === 3 * 8 + varintType) loadedAt = reader.int64();
    else if (key === 4 * 8 + bytesType) info.phases.push(reader.text());
    else if (key === 5 * 8 + bytesType) info.version = reader.text();
    else if (key === 6 * 8 + varintType) info.priority = reader.int32();
    else if (key === 7 * 8 + bytesType) info.schema = reader.text();
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
    if (key === 1 * 8 + bytesType) status.name = reader.text();
    else if (key === 2 * 8 + varintType) status.instanceId = reader.int32();
    else if (key === 3 * 8 + bytesType) {
      const outer = reader.end;
      reader.end = reader.part();
      status.config = readValue(reader, 0);
      reader.end = outer;
    } else if (key === 4 * 8 + varintType) status.startedAt = reader.int64();
    else reader.skip(key);
  }
  return status;
}

/**
 * Kong's side: the positional arguments that a message carries. An argument that the message lacks is '' or 0 or false
 * where the function requires it. Where it is optional, it is left out. @throws KongTsError FRAME_MALFORMED
 */
export function decodeArguments(type: ArgumentsMessage, bytes: Buffer): unknown[] {
  const reader = new Reader(bytes);
  switch (type) {
    case 'google.protobuf.Empty':
      return [];
    case 'google.protobuf.ListValue':
      return readList(reader);
    case 'google.protobuf.Struct':
      return [readStruct(reader)];
    case 'google.protobuf.Value':
      return [readValue(reader, 0)];
    case 'Bool':
      return [readFields(reader, type)[0] ?? false];
    case 'Int':
      return bytes.length === 0 ? [] : [readFields(reader, type)[0] ?? 0];
    case 'String':
      return [readFields(reader, type)[0] ?? ''];
    case 'ByteString':
      return [readFields(reader, type)[0] ?? Buffer.alloc(0)];
    case 'KV': {
      const [k, v] = readFields(reader, type);
      return [k ?? '', v ?? null];
    }
    case 'ExitArgs': {
      const [status, body, headers] = readFields(reader, type);
      const args: unknown[] = [status ?? 0];
      if (body !== undefined || headers !== undefined) args.push(body ?? null);
      if (headers !== undefined) args.push(headers);
      return args;
    }
    case 'Target': {
      const [host, port] = readFields(reader, type);
      return [host ?? '', port ?? 0];
    }
    case 'ConsumerSpec': {
      const [id, byUsername] = readFields(reader, type);
      return [id ?? '', byUsername ?? false];
    }
    case 'AuthenticateArgs': {
      const [consumer, credential] = readFields(reader, type);
      return [consumer ?? null, credential ?? null];
    }
  }
}

/** Reads the fields 1 to 3. Their kinds follow from the message and the wire type. */
function readFields(reader: Reader, type: ArgumentsMessage): unknown[] {
  const fields: unknown[] = [];
  while (reader.more) {
    const key = reader.key();
    const number = key >>> 3;
    const wireType = key & 7;
    if (number > 3 || (wireType !== bytesType && wireType !== varintType)) {
      reader.skip(key);
      continue;
    }
    if (wireType === varintType) {
      const flag = type === 'Bool' || type === 'ConsumerSpec';
      fields[number - 1] = flag ? reader.bool() : reader.int32();
      continue;
    }
    const outer = reader.end;
    const end = reader.part();
    reader.end = end;
    fields[number - 1] = readPart(reader, type, number);
    reader.end = outer;
    reader.position = end;
  }
  return fields;
}

function readPart(reader: Reader, type: ArgumentsMessage, number: number): unknown {
  if (type === 'KV' && number === 2) return readValue(reader, 0);
  if (type === 'ExitArgs' && number === 3) return readStruct(reader);
  if (type === 'AuthenticateArgs') {
    return readRecord(reader, number === 1 ? recordTypes.Consumer : recordTypes.AuthenticatedCredential);
  }
  const bytes = reader.buffer.subarray(reader.position, reader.end);
  return type === 'ByteString' || type === 'ExitArgs' ? bytes : decodeText(bytes);
}

/**
 * Kong's side: encodes what a PDK function returned. null and undefined (Lua's nil) are the empty message; false, 0
 * and '' are written out, as Kong 3.9 does.
 */
export function encodeResult(type: ResultMessage, value: unknown): Buffer {
  const writer = new Writer();
  if (type === 'google.protobuf.Value') writeNilValue(writer, value);
  else if (value !== null && value !== undefined) writeResult(writer, type, value);
  return writer.copy();
}

/** Kong writes nil as `null_value: 1`. */
function writeNilValue(writer: Writer, value: unknown): void {
  if (value !== null && value !== undefined) {
    writeValue(writer, value);
    return;
  }
  writer.byte(int1Key);
  writer.byte(1);
}

function writeResult(writer: Writer, type: ResultMessage, value: NonNullable<unknown>): void {
  switch (type) {
    case 'google.protobuf.Empty':
    case 'google.protobuf.Value':
      return;
    case 'String':
    case 'ByteString':
      writeText(writer, bytes1Key, value);
      return;
    case 'Int':
      writer.byte(int1Key);
      writer.varint(Math.trunc(Number(value)));
      return;
    case 'Bool':
      writer.byte(int1Key);
      writer.byte(value === true ? 1 : 0);
      return;
    case 'Number':
      writer.byte(double1Key);
      writer.double(Number(value));
      return;
    case 'google.protobuf.Struct':
      writeStruct(writer, value);
      return;
    case 'RawBodyResult':
      writeRawBody(writer, value as RawBodyResult);
      return;
    case 'UriCapturesResult':
      writeUriCaptures(writer, value as UriCapturesResult);
      return;
    case 'Consumer':
    case 'AuthenticatedCredential':
    case 'Route':
    case 'Service':
    case 'MemoryStats':
      writeRecord(writer, recordTypes[type], value);
  }
}

function writeRawBody(writer: Writer, value: RawBodyResult): void {
  if ('content' in value) writeText(writer, bytes1Key, value.content);
  else if ('body_filepath' in value) writeText(writer, bytes2Key, value.body_filepath);
  else writeText(writer, bytes3Key, value.error);
}

function writeUriCaptures(writer: Writer, value: UriCapturesResult): void {
  for (const capture of value.unnamed) writeText(writer, bytes1Key, capture);
  for (const [name, capture] of Object.entries(value.named)) {
    writer.byte(bytes2Key);
    const mark = writer.begin();
    writeText(writer, bytes1Key, name);
    writeText(writer, bytes2Key, capture);
    writer.end(mark);
  }
}

function writeText(writer: Writer, key: number, value: unknown): void {
  writer.byte(key);
  if (value instanceof Uint8Array) writer.blob(value);
  else writer.text(String(value));
}
