import { setOwn } from '../../base/set-own.ts';
import type { Reader } from './reader.ts';
import { bytesType, varintType } from './writer.ts';
import type { Writer } from './writer.ts';

/** A field of a record: its number, Kong's name, and how it travels. */
type RecordField =
  | { readonly number: number; readonly name: string; readonly kind: 'text' | 'texts' | 'int' | 'bool' }
  | {
      readonly number: number;
      readonly name: string;
      readonly kind: 'record' | 'records';
      fields: RecordType;
    };
interface RecordType {
  readonly byKey: ReadonlyMap<number, RecordField>;
  readonly fields: readonly RecordField[];
}

function recordType(fields: readonly RecordField[]): RecordType {
  const wireType = (field: RecordField) =>
    field.kind === 'int' || field.kind === 'bool' ? varintType : bytesType;
  return { fields, byKey: new Map(fields.map((field) => [field.number * 8 + wireType(field), field])) };
}

const text = (number: number, name: string): RecordField => ({ number, name, kind: 'text' });
const texts = (number: number, name: string): RecordField => ({ number, name, kind: 'texts' });
const int = (number: number, name: string): RecordField => ({ number, name, kind: 'int' });
const bool = (number: number, name: string): RecordField => ({ number, name, kind: 'bool' });
const record = (number: number, name: string, fields: RecordField[]): RecordField => ({
  number,
  name,
  kind: 'record',
  fields: recordType(fields),
});

/** Kong's entities as its PDK hands them out: snake_case fields, absent ones left out. */
export const recordTypes = {
  Consumer: recordType([
    text(1, 'id'),
    int(2, 'created_at'),
    text(3, 'username'),
    text(4, 'custom_id'),
    texts(5, 'tags'),
  ]),
  AuthenticatedCredential: recordType([text(1, 'id'), text(2, 'consumer_id')]),
  Route: recordType([
    text(1, 'id'),
    int(2, 'created_at'),
    int(3, 'updated_at'),
    text(4, 'name'),
    texts(5, 'protocols'),
    texts(6, 'methods'),
    texts(7, 'hosts'),
    texts(8, 'paths'),
    texts(9, 'headers'),
    int(10, 'https_redirect_status_code'),
    int(11, 'regex_priority'),
    bool(12, 'strip_path'),
    bool(13, 'preserve_host'),
    texts(14, 'snis'),
    texts(15, 'sources'),
    texts(16, 'destinations'),
    texts(17, 'tags'),
    record(18, 'service', [text(1, 'id')]),
  ]),
  Service: recordType([
    text(1, 'id'),
    int(2, 'created_at'),
    int(3, 'updated_at'),
    text(4, 'name'),
    int(5, 'retries'),
    text(6, 'protocol'),
    text(7, 'host'),
    int(8, 'port'),
    text(9, 'path'),
    int(10, 'connect_timeout'),
    int(11, 'write_timeout'),
    int(12, 'read_timeout'),
    texts(13, 'tags'),
    record(14, 'client_certificate', [text(1, 'id')]),
  ]),
  MemoryStats: recordType([
    record(1, 'lua_shared_dicts', [
      record(1, 'kong', [int(1, 'allocated_slabs'), int(2, 'capacity')]),
      record(2, 'kong_db_cache', [int(1, 'allocated_slabs'), int(2, 'capacity')]),
    ]),
    {
      number: 2,
      name: 'workers_lua_vms',
      kind: 'records',
      fields: recordType([int(1, 'http_allocated_gc'), int(2, 'pid')]),
    },
  ]),
} as const;

/** Reads a record up to the reader's end. */
export function readRecord(reader: Reader, type: RecordType): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  while (reader.more) {
    const key = reader.key();
    const field = type.byKey.get(key);
    if (field === undefined) {
      reader.skip(key);
      continue;
    }
    const value = readField(reader, field);
    if (field.kind === 'texts' || field.kind === 'records') {
      const list = object[field.name];
      if (Array.isArray(list)) list.push(value);
      else object[field.name] = [value];
    } else setOwn(object, field.name, value);
  }
  return object;
}

function readField(reader: Reader, field: RecordField): unknown {
  switch (field.kind) {
    case 'text':
    case 'texts':
      return reader.text();
    case 'int':
      return reader.int64();
    case 'bool':
      return reader.bool();
    case 'record':
    case 'records': {
      const outer = reader.end;
      reader.end = reader.part();
      const value = readRecord(reader, field.fields);
      reader.end = outer;
      return value;
    }
  }
}

/** Writes the fields that the message has; others of the object do not travel. */
export function writeRecord(
  writer: Writer,
  type: RecordType,
  object: Readonly<Record<string, unknown>>,
): void {
  for (const field of type.fields) {
    const value = object[field.name];
    if (value === undefined || value === null) continue;
    if (field.kind === 'texts' || field.kind === 'records') {
      if (Array.isArray(value)) for (const item of value) writeField(writer, field, item);
    } else writeField(writer, field, value);
  }
}

function writeField(writer: Writer, field: RecordField, value: unknown): void {
  switch (field.kind) {
    case 'text':
    case 'texts':
      writer.key(field.number, bytesType);
      writer.text(String(value));
      return;
    case 'int':
      writer.key(field.number, varintType);
      writer.int64(typeof value === 'bigint' ? value : Math.trunc(Number(value)));
      return;
    case 'bool':
      writer.key(field.number, varintType);
      writer.byte(value === true ? 1 : 0);
      return;
    case 'record':
    case 'records': {
      writer.key(field.number, bytesType);
      const mark = writer.begin();
      writeRecord(writer, field.fields, Object(value) as Record<string, unknown>);
      writer.end(mark);
    }
  }
}
