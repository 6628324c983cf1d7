import { ReadTimeout, ChunkedBody, InvalidChunk } from '../../../http/http1/index.ts';
import type { AnswerFraming } from '../../../kong-end/index.ts';
import type { SocketReader } from './socket-reader.ts';

/** The upstream ended, stalled or broke its answer in the middle of the body. */
export class BrokenAnswer extends Error {
  override readonly name = 'BrokenAnswer';
}

/** proxy_buffer_size and the size of each of proxy_buffers: a page. */
export const bufferSize = 4096;

export interface BodySource {
  readonly framing: AnswerFraming;
  /** What came together with the head. */
  readonly first: Buffer;
  /** How long the head was: it shares its buffer with the beginning of the body. */
  readonly headLength: number;
  readonly reader: SocketReader;
  /** Milliseconds between two reads. */
  readonly readTimeoutMs: number;
  /** Called once at the end of the body; `rest`: bytes that came after it. */
  onEnd(rest: number): void;
}

/**
 * The content of an answer, in the pieces in which nginx hands it on (proxy_buffering on): chunks as they come; of
 * other bodies what fills a buffer, and the last piece when the body is whole. A body that breaks off throws, and what
 * did not fill a buffer is lost, as on Kong 3.9.3.
 *
 * @throws BrokenAnswer
 */
export function answerBody(source: BodySource): AsyncGenerator<Buffer, void, undefined> {
  const { framing } = source;
  if (framing === 'chunked') return chunkedContent(source);
  return plainContent(source, framing === 'none' ? 0 : framing === 'close' ? Infinity : framing);
}

async function* chunkedContent(source: BodySource): AsyncGenerator<Buffer, void, undefined> {
  const body = new ChunkedBody();
  let bytes: Buffer | null = source.first;
  for (;;) {
    const content: Buffer[] = [];
    const taken = feed(body, bytes, content);
    if (content.length > 0) yield content.length === 1 ? (content[0] as Buffer) : Buffer.concat(content);
    if (body.done) {
      source.onEnd(bytes.length - taken);
      return;
    }
    bytes = await readOn(source);
    if (bytes === null) throw new BrokenAnswer('upstream prematurely closed connection');
  }
}

function feed(body: ChunkedBody, bytes: Buffer, content: Buffer[]): number {
  try {
    return body.read(bytes, (piece) => content.push(piece));
  } catch (error) {
    if (error instanceof InvalidChunk) throw new BrokenAnswer('upstream sent invalid chunked response');
    throw error;
  }
}

async function* plainContent(source: BodySource, length: number): AsyncGenerator<Buffer, void, undefined> {
  let left = length;
  let room = bufferSize - source.headLength;
  let held: Buffer[] = [];
  let size = 0;
  let bytes: Buffer | null = source.first;
  for (;;) {
    const piece: Buffer = bytes.length > left ? bytes.subarray(0, left) : bytes;
    left -= piece.length;
    size += piece.length;
    held.push(piece);
    if (left === 0) {
      if (size > 0) yield Buffer.concat(held);
      source.onEnd(bytes.length - piece.length);
      return;
    }
    if (size >= room) {
      const all: Buffer = Buffer.concat(held);
      const full: number = room + Math.floor((size - room) / bufferSize) * bufferSize;
      if (full > 0) yield all.subarray(0, full);
      held = [all.subarray(full)];
      size -= full;
      room = bufferSize;
    }
    bytes = await readOn(source);
    if (bytes !== null) continue;
    if (left !== Infinity) throw new BrokenAnswer('upstream prematurely closed connection');
    if (size > 0) yield Buffer.concat(held);
    source.onEnd(0);
    return;
  }
}

async function readOn({ reader, readTimeoutMs }: BodySource): Promise<Buffer | null> {
  try {
    return await reader.read(readTimeoutMs);
  } catch (error) {
    if (error instanceof ReadTimeout) throw new BrokenAnswer('upstream timed out');
    throw new BrokenAnswer(error instanceof Error ? error.message : String(error));
  }
}
