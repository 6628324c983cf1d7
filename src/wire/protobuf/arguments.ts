import { Buffer } from 'node:buffer';
import { KongTsError } from '../../errors.ts';
import type { ArgumentsMessage } from '../../pdk/catalogue.ts';
import { decodeText } from '../text.ts';
import { Reader } from './reader.ts';
import { readRecord, recordTypes, writeRecord } from './records.ts';
import { readList, readStruct, readValue, writeList, writeStruct, writeValue } from './struct.ts';
import { BYTES, VARINT, Writer } from './writer.ts';

/** Keys of the fields 1, 2 and 3 by wire type. */
const INT1 = 1 * 8 + VARINT;
const BYTES1 = 1 * 8 + BYTES;
const INT2 = 2 * 8 + VARINT;
const BYTES2 = 2 * 8 + BYTES;
const BYTES3 = 3 * 8 + BYTES;

type Args = readonly unknown[];
type Plain = Readonly<Record<string, unknown>>;

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
      writeBool(writer, INT1, first);
      return;
    case 'Int':
      writeInt(writer, INT1, first);
      return;
    case 'String':
      writeText(writer, BYTES1, first);
      return;
    case 'ByteString':
      writeText(writer, BYTES1, first);
      return;
    case 'KV':
      writeText(writer, BYTES1, first);
      writePart(writer, BYTES2, second, writeValue);
      return;
    case 'ExitArgs':
      writeInt(writer, INT1, first);
      writeText(writer, BYTES2, second);
      writePart(writer, BYTES3, third as Plain | null | undefined, writeStruct);
      return;
    case 'Target':
      writeText(writer, BYTES1, first);
      writeInt(writer, INT2, second);
      return;
    case 'ConsumerSpec':
      writeText(writer, BYTES1, first);
      writeBool(writer, INT2, second);
      return;
    case 'AuthenticateArgs':
      writePart(writer, BYTES1, first as Plain | null | undefined, writeConsumer);
      writePart(writer, BYTES2, second as Plain | null | undefined, writeCredential);
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

function writeText(writer: Writer, key: number, value: unknown): void {
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
 * Kong's side: the positional arguments that a message carries. What is absent in the message is '' or 0 or false
 * where it is required by the function, and left out where it is optional. @throws KongTsError FRAME_MALFORMED
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

/** Reads the fields 1 to 3; which kind they are follows from the message and the wire type. */
function readFields(reader: Reader, type: ArgumentsMessage): unknown[] {
  const fields: unknown[] = [];
  while (reader.more) {
    const key = reader.key();
    const number = key >>> 3;
    const wireType = key & 7;
    if (number > 3 || (wireType !== BYTES && wireType !== VARINT)) {
      reader.skip(key);
      continue;
    }
    if (wireType === VARINT) {
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
