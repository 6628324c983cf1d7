import { Buffer } from 'node:buffer';
import type { Protocol } from '../../wire/index.ts';
import { encode } from '../../wire/msgpack/index.ts';

/**
 * Kong reads MsgPack:1 in pieces of 4096 bytes and forgets the rest of the last piece. So more bytes have to follow an
 * answer than one piece can hold.
 */
const bytes = 8192;

/** Kong has to get an answer and its farewell in one piece. A larger answer leaves without a farewell. In bytes. */
export const mostBeforeFarewell = 16 * 1024;

/**
 * The bytes behind an answer that make Kong let go of the connection by itself. nginx does not keep a connection with
 * unread bytes (`setkeepalive` of lua-nginx-module), and Kong does not look at the result of that call. So nothing is
 * under way on the connection when this end closes it. Measured on nginx 1.22 with lua-nginx-module 0.10.23: of 2,500
 * ends that left with an answer 1,081 lost the next command; with this, none of 27,000.
 *
 * Each protocol has something that a reader may ignore: a frame of zeros, or an unknown notification.
 */
export const farewell: Readonly<Record<Protocol, Buffer>> = {
  protobuf: frameOfZeros(),
  msgpack: Buffer.from(encode([2, 'kong-ts.farewell', 'x'.repeat(bytes)])),
};

function frameOfZeros(): Buffer {
  const frame = Buffer.alloc(4 + bytes);
  frame.writeUInt32LE(bytes, 0);
  return frame;
}
