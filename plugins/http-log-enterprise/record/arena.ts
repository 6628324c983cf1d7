import type { RawText } from './text.ts';

const chunkSize = 262_144;

/**
 * Gives records their bytes out of large blocks: one allocation for a hundred records instead of one each. A block
 * lives as long as one of its records; records leave in the order in which they came, so that none is held for long.
 */
export class Arena {
  #chunk = Buffer.alloc(0);
  #used = 0;

  /** Copies raw text, piece after piece, into bytes of its own. */
  write(pieces: readonly RawText[]): Buffer {
    let size = 0;
    for (const piece of pieces) size += piece.length;
    if (this.#used + size > this.#chunk.length) {
      if (size > chunkSize / 4) return writeInto(Buffer.allocUnsafeSlow(size), 0, pieces);
      this.#chunk = Buffer.allocUnsafeSlow(chunkSize);
      this.#used = 0;
    }
    const from = this.#used;
    this.#used += size;
    return writeInto(this.#chunk, from, pieces).subarray(from, this.#used);
  }
}

function writeInto(target: Buffer, from: number, pieces: readonly RawText[]): Buffer {
  let at = from;
  for (const piece of pieces) at += target.write(piece, at, piece.length, 'latin1');
  return target;
}
