import { Buffer } from 'node:buffer';
import type { Protocol } from '../../wire/protocol.ts';
import { encode } from '../../wire/msgpack/writer.ts';

/**
 * Kong reads MsgPack:1 in pieces of 4096 bytes and forgets what was left over of the last one: there has to be more behind an
 * answer than a piece can hold.
 */
const bytes = 8192;

/** An answer that leaves with its farewell has to be one piece for Kong: a larger one is written without, in bytes. */
export const mostBeforeFarewell = 16 * 1024;

/**
 * What follows an answer after which Kong is to let go of the connection by itself: nginx keeps no connection on which
 * something was left unread (`setkeepalive` of lua-nginx-module), and Kong does not look at what that says. So nothing can
 * be on its way on the connection when this end closes it. Measured on nginx 1.22 with lua-nginx-module 0.10.23: of 2,500
 * ends that left with an answer 1,081 lost the next command; with this, none of 27,000.
 *
 * In each protocol it is something that may be passed over: a frame of zeros, a notification that nobody knows.
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
