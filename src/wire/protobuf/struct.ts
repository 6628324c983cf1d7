import { setOwn } from '../../base/set-own.ts';
import { KongTsError } from '../../base/errors.ts';
import { MAX_DEPTH, malformed } from './reader.ts';
import type { Reader } from './reader.ts';
import { BYTES, FIXED64, VARINT } from './writer.ts';
import type { Writer } from './writer.ts';

/**
 * google.protobuf.Value, Struct and ListValue as JSON-like values.
 *
 * Kong 3.9 turns a `null_value` inside a table into the string `NULL_VALUE`. A property that is null or undefined is
 * therefore left out, which Lua reads as nil; in a list its place has to be kept.
 */

const key = { null: 1 * 8 + VARINT, number: 2 * 8 + FIXED64, text: 3 * 8 + BYTES, bool: 4 * 8 + VARINT };
const STRUCT = 5 * 8 + BYTES;
const LIST = 6 * 8 + BYTES;
const FIELD = 1 * 8 + BYTES;
const ENTRY_KEY = 1 * 8 + BYTES;
const ENTRY_VALUE = 2 * 8 + BYTES;

/** Writes a Value's fields. Bytes travel as a string. @throws KongTsError PDK_INVALID_ARGUMENT */
export function writeValue(writer: Writer, value: unknown, depth = 0): void {
  switch (typeof value) {
    case 'string':
      writer.byte(key.text);
      writer.text(value);
      return;
    case 'number':
      writer.byte(key.number);
      writer.double(value);
      return;
    case 'bigint':
      writer.byte(key.number);
      writer.double(Number(value));
      return;
    case 'boolean':
      writer.byte(key.bool);
      writer.byte(value ? 1 : 0);
      return;
    case 'undefined':
      writer.byte(key.null);
      writer.byte(0);
      return;
    case 'object':
      writeObject(writer, value, depth);
      return;
    default:
      throw new KongTsError('PDK_INVALID_ARGUMENT', `A ${typeof value} cannot be sent to Kong.`);
  }
}

function writeObject(writer: Writer, value: object | null, depth: number): void {
  if (value === null) {
    writer.byte(key.null);
    writer.byte(0);
    return;
  }
  if (value instanceof Uint8Array) {
    writer.byte(key.text);
    writer.blob(value);
    return;
  }
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    writeValue(writer, (value as { toJSON(): unknown }).toJSON(), checkDepth(depth));
    return;
  }
  writer.byte(Array.isArray(value) ? LIST : STRUCT);
  const mark = writer.begin();
  if (Array.isArray(value)) writeList(writer, value, depth + 1);
  else writeStruct(writer, value as Record<string, unknown>, depth + 1);
  writer.end(mark);
}

/** Writes a ListValue's fields. */
export function writeList(writer: Writer, values: readonly unknown[], depth = 0): void {
  checkDepth(depth);
  for (const value of values) {
    writer.byte(FIELD);
    const mark = writer.begin();
    writeValue(writer, value, depth);
    writer.end(mark);
  }
}

/** Writes a Struct's fields. */
export function writeStruct(writer: Writer, object: Readonly<Record<string, unknown>>, depth = 0): void {
  checkDepth(depth);
  for (const name of Object.keys(object)) {
    const value = object[name];
    if (value === undefined || value === null) continue;
    writer.byte(FIELD);
    const entry = writer.begin();
    writer.byte(ENTRY_KEY);
    writer.text(name);
    writer.byte(ENTRY_VALUE);
    const mark = writer.begin();
    writeValue(writer, value, depth);
    writer.end(mark);
    writer.end(entry);
  }
}

function checkDepth(depth: number): number {
  if (depth < MAX_DEPTH) return depth + 1;
  throw new KongTsError(
    'PDK_INVALID_ARGUMENT',
    `A value nests more than ${MAX_DEPTH} levels deep, or contains itself.`,
    { fix: 'Send a flatter value.' },
  );
}

/** Reads a Value up to the reader's end; null where no kind is set. @throws KongTsError FRAME_MALFORMED */
export function readValue(reader: Reader, depth: number): unknown {
  if (depth > MAX_DEPTH) malformed(`values nest more than ${MAX_DEPTH} levels deep`);
  let value: unknown = null;
  while (reader.more) {
    const field = reader.key();
    switch (field) {
      case key.null:
        reader.uint();
        value = null;
        break;
      case key.number:
        value = reader.double();
        break;
      case key.text:
        value = reader.text();
        break;
      case key.bool:
        value = reader.bool();
        break;
      case STRUCT:
      case LIST: {
        const outer = reader.end;
        reader.end = reader.part();
        value = field === STRUCT ? readStruct(reader, depth + 1) : readList(reader, depth + 1);
        reader.end = outer;
        break;
      }
      default:
        reader.skip(field);
    }
  }
  return value;
}

/** Reads a ListValue up to the reader's end. */
export function readList(reader: Reader, depth = 0): unknown[] {
  const values: unknown[] = [];
  while (reader.more) {
    const field = reader.key();
    if (field !== FIELD) {
      reader.skip(field);
      continue;
    }
    const outer = reader.end;
    reader.end = reader.part();
    values.push(readValue(reader, depth));
    reader.end = outer;
  }
  return values;
}

/** Reads a Struct up to the reader's end. */
export function readStruct(reader: Reader, depth = 0): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  while (reader.more) {
    const field = reader.key();
    if (field === FIELD) readEntry(reader, object, depth);
    else reader.skip(field);
  }
  return object;
}

function readEntry(reader: Reader, object: Record<string, unknown>, depth: number): void {
  const outer = reader.end;
  reader.end = reader.part();
  let name = '';
  let value: unknown = null;
  while (reader.more) {
    const field = reader.key();
    if (field === ENTRY_KEY) name = reader.text();
    else if (field === ENTRY_VALUE) {
      const entry = reader.end;
      reader.end = reader.part();
      value = readValue(reader, depth);
      reader.end = entry;
    } else reader.skip(field);
  }
  reader.end = outer;
  setOwn(object, name, value);
}
