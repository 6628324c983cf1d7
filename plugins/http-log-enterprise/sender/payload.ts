import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { SenderSettings } from '../config/settings.ts';

const compress = promisify(gzip);
const openBracket = 0x5b;
const comma = 0x2c;
const closeBracket = 0x5d;
/** How many blocks for bodies are kept for the next ones, and of which size at most. */
const keptBlocks = 8;
const largestBlock = 2 * 1024 * 1024;

/** A request body; `release` gives its memory back, once nothing reads it any more. */
export interface Payload {
  readonly body: Buffer;
  readonly release: () => void;
}

const keep = (): void => undefined;

/**
 * Builds the bodies of batches: the record itself, or a JSON array of the records, without parsing any of them. The
 * memory of large bodies is used again, because the system hands out and takes back half a megabyte slowly.
 */
export class PayloadBuilder {
  readonly #blocks: Buffer[] = [];
  readonly #settings: Pick<SenderSettings, 'array' | 'compression'>;

  constructor(settings: Pick<SenderSettings, 'array' | 'compression'>) {
    this.#settings = settings;
  }

  /** A promise only where there is something to compress. */
  build(records: readonly Buffer[]): Payload | Promise<Payload> {
    const plain = this.#join(records);
    return this.#settings.compression === 'none' ? plain : this.#compress(plain);
  }

  async #compress(plain: Payload): Promise<Payload> {
    const body = await compress(plain.body);
    plain.release();
    return { body, release: keep };
  }

  #join(records: readonly Buffer[]): Payload {
    const [only] = records;
    if (!this.#settings.array && records.length === 1 && only !== undefined)
      return { body: only, release: keep };
    let size = 1 + Math.max(1, records.length);
    for (const record of records) size += record.length;
    const block = this.#takeBlock(size);
    let at = 0;
    block[at++] = openBracket;
    for (const [i, record] of records.entries()) {
      if (i > 0) block[at++] = comma;
      block.set(record, at);
      at += record.length;
    }
    block[at++] = closeBracket;
    return {
      body: block.subarray(0, at),
      release: () => {
        if (this.#blocks.length < keptBlocks && block.length <= largestBlock) this.#blocks.push(block);
      },
    };
  }

  #takeBlock(size: number): Buffer {
    const found = this.#blocks.findLastIndex(({ length }) => length >= size);
    if (found >= 0) return this.#blocks.splice(found, 1)[0] ?? Buffer.allocUnsafe(size);
    // Room to spare, so that the next batch, which is a little longer, fits as well.
    this.#blocks.length = 0;
    return Buffer.allocUnsafeSlow(size + (size >> 2));
  }
}
