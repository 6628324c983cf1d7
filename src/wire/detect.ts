import type { Buffer } from 'node:buffer';
import type { Protocol } from './protocol.ts';
import { commandFields } from './protobuf/messages.ts';

/** With so many bytes, `tellProtocol` knows the protocol of every call of Kong. */
export const maxTellingBytes = 4 + 1 + 10 + 2 + 10;

/**
 * Tells the protocol of a command by its first bytes. Kong sends commands of both on the same connection, so this is
 * asked wherever a command may begin.
 *
 * A MsgPack:1 command is an array, in practice of four (`94`), whose first element is 0 (`00`), the second its id and
 * the third the method's name. A ProtoBuf:1 command is a length (uint32, little-endian) and an RpcCall. Bytes that do
 * not begin like an array are ProtoBuf:1. Bytes that do may also be a length:
 *
 * - A length below 65,536 bytes is one: as MsgPack:1 the command would have the id 0 and the number 0 for a name.
 * - With an id of one byte and then a name, the length would be 2.5 GiB or more, which no limit admits.
 * - Else what follows decides. An RpcCall of a known length is a sequence and a command in either order, whose lengths
 *   fill it to the last byte. In a MsgPack:1 command of Kong the bytes there are the rest of the id, the head of the name
 *   (`a0` to `bf`, `d9`) and `plugin.`, which cannot be that. Where the head would be a varint's byte, `p` ends the
 *   varint. Then `l` is not a key, or the length that `p` ends is short of the frame's by megabytes.
 *
 * @param bytes from the first byte of the command on
 * @param maxFrameBytes no frame is longer
 */
export function tellProtocol(bytes: Buffer, maxFrameBytes: number): Protocol | 'need-more' {
  if (bytes.length === 0) return 'need-more';
  if (!isArrayHead(bytes[0] as number)) return 'protobuf';
  if (bytes.length < 4) return 'need-more';
  const [, zero, id, name] = bytes as unknown as [number, number, number, number];
  if (id === 0 && name === 0) return 'protobuf';
  if (zero === 0 && id <= 0x7f && isTextHead(name)) return 'msgpack';
  const call = isRpcCall(bytes, 4, bytes.readUInt32LE(0), maxFrameBytes);
  return call === 'need-more' ? call : call ? 'protobuf' : 'msgpack';
}

function isArrayHead(byte: number): boolean {
  return (byte >= 0x90 && byte <= 0x9f) || byte === 0xdc || byte === 0xdd;
}

function isTextHead(byte: number): boolean {
  return (byte >= 0xa0 && byte <= 0xbf) || (byte >= 0xd9 && byte <= 0xdb);
}

const sequenceKey = 0x08;
/** A sequence is at most its key and a varint of ten bytes. */
const maxSequence = 11;

/** Whether the bytes from `start` on begin an RpcCall of `length` bytes, with nothing else in it. */
function isRpcCall(
  bytes: Buffer,
  start: number,
  length: number,
  maxFrameBytes: number,
): boolean | 'need-more' {
  if (length > maxFrameBytes) return false;
  let at = start;
  if (at >= bytes.length) return 'need-more';
  const sequenceFirst = bytes[at] === sequenceKey;
  if (sequenceFirst) {
    const sequence = varint(bytes, at + 1, 10);
    if (typeof sequence !== 'object') return sequence === 'need-more' ? sequence : false;
    at = sequence.end;
  }
  const key = isCommandKey(bytes, at);
  if (key !== true) return key;
  const size = varint(bytes, at + 2, 5);
  if (typeof size !== 'object') return size === 'need-more' ? size : false;
  const rest = length - (size.end - start) - size.value;
  return sequenceFirst ? rest === 0 : rest === 0 || (rest >= 2 && rest <= maxSequence);
}

/** The keys of the commands of an RpcCall, which are length-delimited fields of two bytes each. */
const commandKeys: readonly number[] = Object.values(commandFields).map((field) => field * 8 + 2);

function isCommandKey(bytes: Buffer, at: number): boolean | 'need-more' {
  const first = bytes[at];
  if (first === undefined) return 'need-more';
  if (!commandKeys.some((key) => first === ((key & 0x7f) | 0x80))) return false;
  const second = bytes[at + 1];
  return second === undefined ? 'need-more' : commandKeys.includes((second << 7) | (first & 0x7f));
}

function varint(
  bytes: Buffer,
  start: number,
  maxBytes: number,
): { value: number; end: number } | 'need-more' | 'none' {
  let value = 0;
  for (let at = start; at < start + maxBytes; at++) {
    const byte = bytes[at];
    if (byte === undefined) return 'need-more';
    value += (byte & 0x7f) * 2 ** (7 * (at - start));
    if (byte < 0x80) return { value, end: at + 1 };
  }
  return 'none';
}
