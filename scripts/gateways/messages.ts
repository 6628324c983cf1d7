import type { ResultMessage } from '../../src/wire/protobuf/messages.ts';
import { encodeText } from '../../src/base/text.ts';

/** Bytes as the recordings have them: text where they are UTF-8, else in hexadecimal. */
export function bytesShown(bytes: Buffer): string | { hex: string } {
  const text = bytes.toString();
  return Buffer.from(text).equals(bytes) ? text : { hex: bytes.toString('hex') };
}

/** A decoded value as JSON can hold it: bytes as `{ bin }`, one character per byte. */
export function plain(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return { bin: value.toString('latin1') };
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'string') return value.replace(/[\udc80-\udcff]/g, latin1Of);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
}

/** src/wire keeps bytes that are not UTF-8 as lone surrogates. */
const escaped = /[\udc80-\udcff]/;
const latin1Of = (escape: string): string => String.fromCharCode(escape.charCodeAt(0) - 0xdc00);
/** A ProtoBuf:1 result of src/wire as the message of so many bytes that it came in: proto3 leaves out zero values. */
export function messageOf(type: ResultMessage, value: unknown, bytes: number): unknown {
  switch (type) {
    case 'google.protobuf.Empty':
      return {};
    case 'google.protobuf.Struct':
      return { fields: fieldsOf(value) };
    case 'google.protobuf.Value':
      return value === null && bytes > 0 ? { nullValue: 1 } : valueOf(value);
    case 'RawBodyResult':
    case 'UriCapturesResult':
      return shown(value);
    case 'Route':
    case 'Service':
    case 'Consumer':
    case 'AuthenticatedCredential':
    case 'MemoryStats':
      return withoutZeros(plain(value) ?? {});
    default:
      return isZero(value) ? {} : { v: shown(value) };
  }
}

function isZero(value: unknown): boolean {
  return value === '' || value === 0 || value === false || (Buffer.isBuffer(value) && value.length === 0);
}

function shown(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return bytesShown(value);
  if (typeof value === 'string' && escaped.test(value)) return bytesShown(encodeText(value));
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, shown(member)]));
}

function withoutZeros(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => !isZero(member) && !(Array.isArray(member) && member.length === 0))
      .map(([name, member]) => [name, withoutZeros(member)]),
  );
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(Object(value) as Record<string, unknown>).map(([name, member]) => [name, valueOf(member)]),
  );
}

function valueOf(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return { stringValue: bytesShown(value) };
  if (Array.isArray(value)) return { listValue: { values: value.map(valueOf) } };
  switch (typeof value) {
    case 'string':
      return { stringValue: value };
    case 'number':
      return { numberValue: value };
    case 'boolean':
      return { boolValue: value };
    case 'object':
      return value === null ? {} : { structValue: { fields: fieldsOf(value) } };
    default:
      return {};
  }
}
