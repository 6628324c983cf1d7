import { setOwn } from '../../base/set-own.ts';
import { KongTsError } from '../../base/errors.ts';
import { maxDepth, malformed } from './reader.ts';
import type { Reader } from './reader.ts';
import { bytesType, fixed64Type, varintType } from './writer.ts';
import type { Writer } from './writer.ts';

/**
 * google.protobuf.Value, Struct and ListValue as JSON-like values.
 *
 * Kong 3.9 turns a `null_value` inside a table into the string `NULL_VALUE`. A property that is null or undefined is
 * therefore left out, which Lua reads as nil; in a list its place has to be kept.
 */

const key = {
  null: 1 * 8 + varintType,
  number: 2 * 8 + fixed64Type,
  text: 3 * 8 + bytesType,
  bool: 4 * 8 + varintType,
};
const structKey = 5 * 8 + bytesType;
const listKey = 6 * 8 + bytesType;
const fieldKey = 1 * 8 + bytesType;
const entryKeyKey = 1 * 8 + bytesType;
const entryValueKey = 2 * 8 + bytesType;

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
  writer.byte(Array.isArray(value) ? listKey : structKey);
  const mark = writer.begin();
  if (Array.isArray(value)) writeList(writer, value, depth + 1);
  else writeStruct(writer, value as Record<string, unknown>, depth + 1);
  writer.end(mark);
}

/** Writes a ListValue's fields. */
export function writeList(writer: Writer, values: readonly unknown[], depth = 0): void {
  checkDepth(depth);
  for (const value of values) {
    writer.byte(fieldKey);
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
    writer.byte(fieldKey);
    const entry = writer.begin();
    writer.byte(entryKeyKey);
    writer.text(name);
    writer.byte(entryValueKey);
    const mark = writer.begin();
    writeValue(writer, value, depth);
    writer.end(mark);
    writer.end(entry);
  }
}

function checkDepth(depth: number): number {
  if (depth < maxDepth) return depth + 1;
  throw new KongTsError(
    'PDK_INVALID_ARGUMENT',
    `A value nests more than ${maxDepth} levels deep, or contains itself.`,
    { fix: 'Send a flatter value.' },
  );
}

/** Reads a Value up to the reader's end; null where no kind is set. @throws KongTsError FRAME_MALFORMED */
export function readValue(reader: Reader, depth: number): unknown {
  if (depth > maxDepth) malformed(`values nest more than ${maxDepth} levels deep`);
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
      case structKey:
      case listKey: {
        const outer = reader.end;
        reader.end = reader.part();
        value = field === structKey ? readStruct(reader, depth + 1) : readList(reader, depth + 1);
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
    if (field !== fieldKey) {
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
    if (field === fieldKey) readEntry(reader, object, depth);
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
    if (field === entryKeyKey) name = reader.text();
    else if (field === entryValueKey) {
      const entry = reader.end;
      reader.end = reader.part();
      value = readValue(reader, depth);
      reader.end = entry;
    } else reader.skip(field);
  }
  reader.end = outer;
  setOwn(object, name, value);
}
