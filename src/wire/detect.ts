import type { Buffer } from 'node:buffer';
import type { Protocol } from '../pdk/phases.ts';

/**
 * Tells the two protocols apart by the first bytes that Kong sends on a connection. A MsgPack:1 request is an array
 * of four whose first element is 0 (`94 00`). A ProtoBuf:1 connection starts with a frame's length, little-endian;
 * its first frame is an RpcCall, at most a few kilobytes. The one RpcCall that would also start with `94 00` is 148
 * bytes long (or 148 plus a multiple of 65536): the third byte decides, since the next element of a MsgPack:1 request
 * is the message id, and the fourth a string (`a0`-`bf`, `d9`-`db`), while a small ProtoBuf:1 length has two zeros.
 */
export function detectProtocol(firstBytes: Buffer): Protocol | 'need-more' {
  if (firstBytes.length === 0) return 'need-more';
  if (firstBytes[0] !== 0x94) return 'protobuf';
  if (firstBytes.length === 1) return 'need-more';
  if (firstBytes[1] !== 0x00) return 'protobuf';
  if (firstBytes.length === 2) return 'need-more';
  const id = firstBytes[2] as number;
  if (id <= 0x7f) {
    // A message id of one byte: the method's string follows. In a length it would be zero, or 16 MiB and more.
    if (firstBytes.length === 3) return 'need-more';
    return isStringHead(firstBytes[3] as number) ? 'msgpack' : 'protobuf';
  }
  return id >= 0xcc && id <= 0xd3 ? 'msgpack' : 'protobuf';
}

function isStringHead(byte: number): boolean {
  return (byte >= 0xa0 && byte <= 0xbf) || (byte >= 0xd9 && byte <= 0xdb);
}
