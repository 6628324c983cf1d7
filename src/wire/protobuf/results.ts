import { Buffer } from 'node:buffer';
import type { ResultMessage } from '../../pdk/catalogue.ts';
import { decodeText } from '../text.ts';
import { Reader } from './reader.ts';
import { readRecord, recordTypes, writeRecord } from './records.ts';
import { readStruct, readValue, setOwn, writeStruct, writeValue } from './struct.ts';
import { BYTES, FIXED64, VARINT, Writer } from './writer.ts';

const INT1 = 1 * 8 + VARINT;
const DOUBLE1 = 1 * 8 + FIXED64;
const BYTES1 = 1 * 8 + BYTES;
const BYTES2 = 2 * 8 + BYTES;
const BYTES3 = 3 * 8 + BYTES;

/** The body of a request: in memory, in a file of Kong's, or not to be had. */
export type RawBodyResult =
  { readonly content: Buffer } | { readonly body_filepath: string } | { readonly error: string };

/** Captures of a route's regular expression. */
export interface UriCapturesResult {
  readonly unnamed: string[];
  readonly named: Record<string, string>;
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
      return readScalar(bytes, INT1, 0, (reader) => reader.int32());
    case 'Bool':
      return readScalar(bytes, INT1, false, (reader) => reader.bool());
    case 'Number':
      return readScalar(bytes, DOUBLE1, 0, (reader) => reader.double());
    case 'ByteString':
      return readScalar(bytes, BYTES1, Buffer.alloc(0), (reader) => reader.blob());
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
  // One field whose length fits a byte: what nearly every answer looks like.
  if (bytes[0] === BYTES1 && bytes[1] === bytes.length - 2 && bytes.length < 0x82)
    return decodeText(bytes, 2);
  return readScalar(bytes, BYTES1, '', (reader) => reader.text());
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
    if (key === BYTES1) result = { content: reader.blob() };
    else if (key === BYTES2) result = { body_filepath: reader.text() };
    else if (key === BYTES3) result = { error: reader.text() };
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
    if (key === BYTES1) unnamed.push(reader.text());
    else if (key === BYTES2) {
      const outer = reader.end;
      reader.end = reader.part();
      let name = '';
      let value = '';
      while (reader.more) {
        const part = reader.key();
        if (part === BYTES1) name = reader.text();
        else if (part === BYTES2) value = reader.text();
        else reader.skip(part);
      }
      reader.end = outer;
      setOwn(named, name, value);
    } else reader.skip(key);
  }
  return { unnamed, named };
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
  writer.byte(INT1);
  writer.byte(1);
}

function writeResult(writer: Writer, type: ResultMessage, value: NonNullable<unknown>): void {
  switch (type) {
    case 'google.protobuf.Empty':
    case 'google.protobuf.Value':
      return;
    case 'String':
    case 'ByteString':
      writeText(writer, BYTES1, value);
      return;
    case 'Int':
      writer.byte(INT1);
      writer.varint(Math.trunc(Number(value)));
      return;
    case 'Bool':
      writer.byte(INT1);
      writer.byte(value === true ? 1 : 0);
      return;
    case 'Number':
      writer.byte(DOUBLE1);
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
  if ('content' in value) writeText(writer, BYTES1, value.content);
  else if ('body_filepath' in value) writeText(writer, BYTES2, value.body_filepath);
  else writeText(writer, BYTES3, value.error);
}

function writeUriCaptures(writer: Writer, value: UriCapturesResult): void {
  for (const capture of value.unnamed) writeText(writer, BYTES1, capture);
  for (const [name, capture] of Object.entries(value.named)) {
    writer.byte(BYTES2);
    const mark = writer.begin();
    writeText(writer, BYTES1, name);
    writeText(writer, BYTES2, capture);
    writer.end(mark);
  }
}

function writeText(writer: Writer, key: number, value: unknown): void {
  writer.byte(key);
  if (value instanceof Uint8Array) writer.blob(value);
  else writer.text(String(value));
}
