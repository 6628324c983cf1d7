import type { Buffer } from 'node:buffer';
import { KongTsError } from '../../base/errors.ts';
import type { FunctionRow } from '../../pdk/index.ts';
import { encode } from '../../wire/msgpack/index.ts';
import { encodeFrame } from '../../wire/protobuf/index.ts';
import { encodeText } from '../../base/text.ts';

const frames = new WeakMap<FunctionRow, Buffer>();
const names = new WeakMap<FunctionRow, Buffer>();

/** The frame of ProtoBuf:1 that names a function, made once for each. */
export function nameFrame(row: FunctionRow): Buffer {
  let frame = frames.get(row);
  if (frame === undefined) {
    frame = encodeFrame(encodeText(row.name));
    frames.set(row, frame);
  }
  return frame;
}

/** A function's name as MessagePack, made once for each. */
export function packedName(row: FunctionRow): Buffer {
  let name = names.get(row);
  if (name === undefined) {
    name = encode(row.name);
    names.set(row, name);
  }
  return name;
}

/** How a function travels over ProtoBuf:1. @throws KongTsError PDK_NOT_IN_PROTOCOL */
export function protobufMessages(row: FunctionRow): NonNullable<FunctionRow['protobuf']> {
  if (row.protobuf !== null) return row.protobuf;
  throw new KongTsError('PDK_NOT_IN_PROTOCOL', `${row.name} does not exist in ProtoBuf:1.`, {
    fix: 'Declare protocol: "msgpack" in the plugin.',
  });
}
