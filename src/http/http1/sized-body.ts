/** A body of known length, read piece by piece. */
export class SizedBody {
  #left: number;

  /** @param length in bytes */
  constructor(length: number) {
    this.#left = length;
  }

  get done(): boolean {
    return this.#left === 0;
  }

  /** Hands content to `take`, and says how many of the bytes belong to the body. */
  read(bytes: Buffer, take: (content: Buffer) => void): number {
    const count = Math.min(this.#left, bytes.length);
    if (count > 0) take(bytes.subarray(0, count));
    this.#left -= count;
    return count;
  }
}
