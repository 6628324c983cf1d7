import type { FunctionRow } from '../../pdk/index.ts';
import type { Writer } from '../../wire/protobuf/index.ts';
import { writeArguments } from '../../wire/protobuf/index.ts';
import { nameFrame, protobufMessages } from './rows.ts';

/**
 * Writes a call of ProtoBuf:1: the frame that names the function and the frame of its arguments. Nothing is written
 * when it throws.
 * @throws KongTsError PDK_NOT_IN_PROTOCOL, PDK_INVALID_ARGUMENT
 */
export function writePair(out: Writer, row: FunctionRow, args: readonly unknown[]): void {
  const start = out.position;
  try {
    const messages = protobufMessages(row);
    out.bytes(nameFrame(row));
    const mark = out.beginFrame();
    writeArguments(out, messages.arguments, args);
    out.endFrame(mark);
  } catch (error) {
    out.position = start;
    throw error;
  }
}
