import type { Buffer } from 'node:buffer';
import { KongTsError, messageOf } from '../../base/errors.ts';
import type { FunctionRow } from '../../pdk/index.ts';
import { skippedFrame, decodeResult, scanHeaderStruct } from '../../wire/protobuf/index.ts';
import type { Asked } from './asked.ts';
import { protobufMessages } from './rows.ts';

/**
 * Kong's answer to a call over ProtoBuf:1. One that cannot be read fails its call and leaves the connection alone:
 * frames are still in step, and closing the connection would make Kong try the event again, for ever.
 * @throws KongTsError PDK_CALL_FAILED
 */
export function readResult(row: FunctionRow, frame: Buffer): unknown {
  try {
    if (frame === skippedFrame) throw new Error('it is larger than the limit of a frame');
    return decodeResult(protobufMessages(row).result, frame);
  } catch (error) {
    const text = `Kong's answer to ${row.name} cannot be read: ${messageOf(error)}`;
    throw new KongTsError('PDK_CALL_FAILED', text, { cause: error });
  }
}

/** Settles a call with its answer. */
export function resolveWith(call: Asked, frame: Buffer): void {
  const table = call.looksUp && frame !== skippedFrame ? scanHeaderStruct(frame) : null;
  if (table !== null) {
    call.resolve(table);
    return;
  }
  let value: unknown;
  try {
    value = readResult(call.row, frame);
  } catch (error) {
    call.failed(error);
    return;
  }
  call.resolve(value);
}
