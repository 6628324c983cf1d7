import type { Writer } from './writer.ts';
import { BYTES, FIXED64, VARINT } from './writer.ts';

/** Keys of the fields 1, 2 and 3 by wire type. */
export const INT1 = 1 * 8 + VARINT;
export const DOUBLE1 = 1 * 8 + FIXED64;
export const BYTES1 = 1 * 8 + BYTES;
export const INT2 = 2 * 8 + VARINT;
export const BYTES2 = 2 * 8 + BYTES;
export const BYTES3 = 3 * 8 + BYTES;
/** The sequence of an RpcCall and of its RpcReturn. */
export const SEQUENCE = INT1;

export function writeTextField(writer: Writer, field: number, value: string): void {
  writer.key(field, BYTES);
  writer.text(value);
}

export function writeIntField(writer: Writer, field: number, value: number | bigint): void {
  writer.key(field, VARINT);
  writer.int64(value);
}
