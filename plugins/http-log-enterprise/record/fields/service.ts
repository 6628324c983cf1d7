import { type LuaThread, ThreadLost } from 'kong-ts/lua';
import type { FieldResult, FieldsJob, FieldsReply, OpenJob, RunItem } from './protocol.ts';

/** A thread that computes no further field for so long (up to twice as long) is ended, in milliseconds. */
export const stuckMs = 1500;
/** What waits for the thread, in bytes of records. */
const maxWaiting = 16 * 1024 * 1024;
const maxBatch = 64;
const maxBatchBytes = 1024 * 1024;

/** One configuration at the thread. */
export interface Client {
  readonly open: OpenJob;
  readonly write: (level: FieldsReply['lines'][number]['level'], text: string) => void;
  isOpen: boolean;
}

interface Waiting {
  readonly client: Client;
  item: RunItem;
  /** What was lost with a thread. */
  readonly lost: FieldResult[];
  readonly resolve: (results: readonly FieldResult[]) => void;
}

const size = ({ item }: Waiting): number => item.raw.length + 200;

/**
 * Hands records to the thread in which all Lua of the process runs: many at a time, in their order, bounded in bytes.
 * When the thread is lost, the field that it was at fails for that record, and the others are computed by the next one.
 */
export class FieldService {
  private readonly thread: LuaThread<FieldsJob, FieldsReply>;
  private readonly clients = new Map<number, Client>();
  private waiting: Waiting[] = [];
  private bytes = 0;
  private last: Promise<unknown> = Promise.resolve();
  private isScheduled = false;

  constructor(thread: LuaThread<FieldsJob, FieldsReply>) {
    this.thread = thread;
  }

  /** How many configurations use it. */
  get size(): number {
    return this.clients.size;
  }

  /** @returns the field that does not compile, and why; null when all do */
  async add(client: Client): Promise<FieldsReply['problem']> {
    this.clients.set(client.open.set, client);
    const problem = await this.serially(() => this.open(client)).catch((error: unknown) => ({
      field: error instanceof ThreadLost ? Math.max(0, error.steps - 1) : 0,
      message: error instanceof Error ? error.message : String(error),
    }));
    if (problem !== null) this.clients.delete(client.open.set);
    return problem;
  }

  /** Resolves when the thread has forgotten it; ends the thread with the last one. */
  async remove(client: Client): Promise<void> {
    await this.serially(async () => {
      this.clients.delete(client.open.set);
      if (client.isOpen && this.thread.isRunning) {
        await this.thread.run({ kind: 'close', set: client.open.set }).catch(() => undefined);
      }
      client.isOpen = false;
      if (this.clients.size === 0) await this.thread.close();
    });
  }

  /** @returns the results in the order of the item's fields; null when too much waits already */
  compute(client: Client, item: RunItem): Promise<readonly FieldResult[]> | null {
    if (this.bytes > 0 && this.bytes + item.raw.length > maxWaiting) return null;
    return new Promise((resolve) => {
      const entry: Waiting = { client, item, lost: [], resolve };
      this.bytes += size(entry);
      this.waiting.push(entry);
      this.schedule();
    });
  }

  private serially<T>(work: () => Promise<T>): Promise<T> {
    const result = this.last.then(work);
    this.last = result.catch(() => undefined);
    return result;
  }

  private schedule(): void {
    if (this.isScheduled || this.waiting.length === 0) return;
    this.isScheduled = true;
    void this.serially(async () => {
      this.isScheduled = false;
      await this.batch();
      this.schedule();
    });
  }

  private async open(client: Client): Promise<FieldsReply['problem']> {
    const { problem } = await this.thread.run(client.open);
    client.isOpen = problem === null;
    return problem;
  }

  private take(): Waiting[] {
    let count = 0;
    for (let bytes = 0; count < this.waiting.length && count < maxBatch && bytes < maxBatchBytes; count++) {
      bytes += this.waiting[count]?.item.raw.length ?? 0;
    }
    return this.waiting.splice(0, count);
  }

  private async batch(): Promise<void> {
    const batch = this.take();
    let isRunning = false;
    try {
      if (!this.thread.isRunning) for (const client of this.clients.values()) client.isOpen = false;
      for (const client of new Set(batch.map((entry) => entry.client))) {
        if (!client.isOpen && this.clients.has(client.open.set)) await this.open(client);
      }
      isRunning = true;
      const reply = await this.thread.run({ kind: 'run', items: batch.map(({ item }) => item) });
      for (const { set, level, text } of reply.lines) this.clients.get(set)?.write(level, text);
      batch.forEach((entry, i) => this.settle(entry, reply.results[i] ?? []));
    } catch (error) {
      this.lose(batch, error, isRunning && error instanceof ThreadLost ? error.steps : 0);
    }
  }

  private settle(entry: Waiting, results: readonly FieldResult[]): void {
    this.bytes -= size(entry);
    entry.resolve([...entry.lost, ...results].sort((a, b) => a.field - b.field));
  }

  /** The field at which the thread was fails; what the batch has beside it is tried again. */
  private lose(batch: Waiting[], error: unknown, steps: number): void {
    const message = error instanceof Error ? error.message : String(error);
    const failure = (field: number): FieldResult => ({ field, error: message, isLimit: true });
    let left = steps;
    for (const entry of left > 0 ? batch : []) {
      const { fields } = entry.item;
      if (left > fields.length) {
        left -= fields.length;
        continue;
      }
      const at = fields[left - 1] ?? 0;
      entry.lost.push(failure(at));
      entry.item = { ...entry.item, fields: fields.filter((field) => field !== at) };
      this.waiting.unshift(...batch);
      return;
    }
    for (const entry of batch) this.settle(entry, entry.item.fields.map(failure));
  }
}
