/** First in, first out, with its size in payload characters; taking is O(1). */
export class PayloadQueue<T extends { payload: string }> {
  #items: (T | undefined)[] = [];
  #head = 0;
  #size = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }
  /** Sum of the payloads' lengths. */
  get size(): number {
    return this.#size;
  }

  /** What is taken next. */
  get first(): T | undefined {
    return this.#items[this.#head];
  }

  push(item: T): void {
    this.#items.push(item);
    this.#size += item.payload.length;
  }

  shift(): T | undefined {
    const item = this.#items[this.#head];
    if (item === undefined) return undefined;
    this.#items[this.#head++] = undefined;
    this.#size -= item.payload.length;
    if (this.#head > 512 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}
