import type { InstanceRecord } from '../ipc/messages.ts';
import type { InstanceFile } from './instance-file.ts';
import { InstanceRecords } from './records.ts';

/** The instances that Kong holds an id for: in memory, and in a file where there is one. */
export class RememberedInstances {
  readonly #records: InstanceRecords;
  readonly #file: InstanceFile | null;
  /** Instances that are known from the file alone: Kong has them from another server. */
  recalled = 0;
  /** How often an id was asked for that nobody knows: Kong starts its instances anew. */
  unknown = 0;

  constructor(file: InstanceFile | null, records = new InstanceRecords()) {
    this.#file = file;
    this.#records = records;
  }

  get size(): number {
    return this.#records.size;
  }

  /**
   * False, and nothing remembered, when the id belongs to another instance.
   * @param forgotten called with the ids that had to go for it
   */
  add(record: InstanceRecord, forgotten?: (id: number) => void): boolean {
    this.#readFile();
    if (!this.#records.add(record, forgotten)) return false;
    if (this.#file?.add(record) === true) this.#rewrite();
    return true;
  }

  find(id: number): InstanceRecord | null {
    const known = this.#records.find(id);
    if (known !== null) return known;
    this.#readFile();
    const found = this.#records.find(id);
    if (found === null) this.unknown++;
    return found;
  }

  /** What is known of an id, without any effect. */
  peek(id: number): InstanceRecord | null {
    return this.#records.find(id);
  }

  remove(id: number): void {
    if (!this.#records.remove(id)) return;
    if (this.#file?.remove(id) === true) this.#rewrite();
  }

  #readFile(): void {
    this.#file?.read(({ record, closed }) => {
      if (record === null) this.#records.remove(closed);
      else if (this.#records.add(record)) this.recalled++;
    });
  }

  #rewrite(): void {
    this.#readFile();
    this.#file?.rewrite([...this.#records.values()]);
  }
}
