import type { InstanceRecord } from '../ipc/messages.ts';

export interface RecordLimits {
  /** How many instances are remembered. Default 100,000. */
  count?: number;
  /** How many bytes their configurations may have together. Default 256 MiB. */
  bytes?: number;
}

/**
 * The instances that Kong has been given an id for. Kong does not tell when a plugin is deleted (measured on Kong
 * 3.9.3), so the memory is bounded: the least recently used ones go first, and Kong starts those again when it needs
 * them.
 */
export class InstanceRecords {
  readonly #records = new Map<number, InstanceRecord>();
  readonly #count: number;
  readonly #limit: number;
  #bytes = 0;

  constructor(limits: RecordLimits = {}) {
    this.#count = limits.count ?? 100_000;
    this.#limit = limits.bytes ?? 256 * 1024 * 1024;
  }

  get size(): number {
    return this.#records.size;
  }

  /**
   * False, and nothing remembered, when the id belongs to another instance.
   * @param forgotten called with the ids that had to go for it
   */
  add(record: InstanceRecord, forgotten: (id: number) => void = () => undefined): boolean {
    if (this.#records.has(record.id)) return false;
    this.#records.set(record.id, record);
    this.#bytes += record.config.byteLength;
    for (const [id, oldest] of this.#records) {
      const fits = this.#records.size <= this.#count && this.#bytes <= this.#limit;
      if (fits || oldest === record) break;
      this.remove(id);
      forgotten(id);
    }
    return true;
  }

  /** The one used longest ago first. */
  values(): Iterable<InstanceRecord> {
    return this.#records.values();
  }

  find(id: number): InstanceRecord | null {
    const record = this.#records.get(id);
    if (record === undefined) return null;
    this.#records.delete(id);
    this.#records.set(id, record);
    return record;
  }

  remove(id: number): boolean {
    const record = this.#records.get(id);
    if (record === undefined) return false;
    this.#bytes -= record.config.byteLength;
    return this.#records.delete(id);
  }
}
