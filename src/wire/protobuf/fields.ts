import type { Writer } from './writer.ts';
import { bytesType, fixed64Type, varintType } from './writer.ts';

/** Keys of the fields 1, 2 and 3 by wire type. */
export const int1Key = 1 * 8 + varintType;
export const double1Key = 1 * 8 + fixed64Type;
export const bytes1Key = 1 * 8 + bytesType;
export const int2Key = 2 * 8 + varintType;
export const bytes2Key = 2 * 8 + bytesType;
export const bytes3Key = 3 * 8 + bytesType;
/** The sequence of an RpcCall and of its RpcReturn. */
export const sequenceKey = int1Key;

export function writeTextField(writer: Writer, field: number, value: string): void {
  writer.key(field, bytesType);
  writer.text(value);
}

export function writeIntField(writer: Writer, field: number, value: number | bigint): void {
  writer.key(field, varintType);
  writer.int64(value);
}
