import type { LuaThread } from 'kong-ts/lua';
import { checkLua51, ThreadLost } from 'kong-ts/lua';
import type { FieldResult, FieldsJob, FieldsReply, OpenJob, RunItem } from './protocol.ts';

/** A thread that computes no further field for so long (up to twice as long) is ended, in milliseconds. */
export const stuckMs = 1500;
/** How much may wait for the thread, in bytes of records. */
const maxWaiting = 16 * 1024 * 1024;
const maxBatch = 64;
const maxBatchBytes = 1024 * 1024;
/** So many threads are asked about the Lua of a configuration, when they are lost over it. */
const maxThreads = 3;
const closed = 'the configuration was closed';

/** One configuration at the thread. */
export interface Client {
  readonly open: OpenJob;
  readonly write: (level: FieldsReply['lines'][number]['level'], text: string) => void;
  isOpen: boolean;
}

interface Waiting {
  readonly client: Client;
  item: RunItem;
  /** The work that was lost with a thread. */
  readonly lost: FieldResult[];
  readonly resolve: (results: readonly FieldResult[]) => void;
}

const size = ({ item }: Waiting): number => item.raw.length + 200;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The first field whose syntax is not that of Kong's Lua. This can be said without a thread. */
function syntaxProblem(fields: OpenJob['fields']): FieldsReply['problem'] {
  for (const [field, [, source]] of fields.entries()) {
    try {
      checkLua51(source);
    } catch (error) {
      return { field, message: messageOf(error) };
    }
  }
  return null;
}

/**
 * Hands records to the thread that runs all Lua of the process: many at a time, in their order, bounded in bytes. If
 * the thread is lost, the field that it was computing fails for that record, and the next thread computes the others.
 */
export class FieldService {
  readonly #thread: LuaThread<FieldsJob, FieldsReply>;
  readonly #clients = new Map<number, Client>();
  #waiting: Waiting[] = [];
  #bytes = 0;
  #last: Promise<unknown> = Promise.resolve();
  #isScheduled = false;

  constructor(thread: LuaThread<FieldsJob, FieldsReply>) {
    this.#thread = thread;
  }

  /** How many configurations use it. */
  get size(): number {
    return this.#clients.size;
  }

  /** @returns the field that does not compile, and why; null when all do. Never rejects. */
  async add(client: Client): Promise<FieldsReply['problem']> {
    this.#clients.set(client.open.set, client);
    const problem = await this.#serially(() => this.#judge(client));
    if (problem !== null) this.#clients.delete(client.open.set);
    return problem;
  }

  /** Resolves when the thread has forgotten it; ends the thread with the last one. */
  async remove(client: Client): Promise<void> {
    await this.#serially(async () => {
      this.#clients.delete(client.open.set);
      if (client.isOpen && this.#thread.isRunning) {
        await this.#thread.run({ kind: 'close', set: client.open.set }).catch(() => undefined);
      }
      client.isOpen = false;
      if (this.#clients.size === 0) await this.#thread.close();
    });
  }

  /** @returns the results in the order of the item's fields; null when too much waits already */
  compute(client: Client, item: RunItem): Promise<readonly FieldResult[]> | null {
    if (this.#bytes > 0 && this.#bytes + item.raw.length > maxWaiting) return null;
    return new Promise((resolve) => {
      const entry: Waiting = { client, item, lost: [], resolve };
      this.#bytes += size(entry);
      this.#waiting.push(entry);
      this.#schedule();
    });
  }

  #serially<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }

  #schedule(): void {
    if (this.#isScheduled || this.#waiting.length === 0) return;
    this.#isScheduled = true;
    void this.#serially(async () => {
      this.#isScheduled = false;
      await this.#batch();
      this.#schedule();
    });
  }

  /**
   * Only an answer is a verdict. A thread that was lost, for want of memory or of time on a busy machine, has said nothing
   * about the Lua: the next one is asked. When none answers, the syntax decides, and records ask again.
   */
  async #judge(client: Client): Promise<FieldsReply['problem']> {
    let reason = '';
    for (let i = 0; i < maxThreads; i++) {
      try {
        return await this.#open(client);
      } catch (error) {
        reason = messageOf(error);
        await this.#renew();
      }
    }
    const problem = syntaxProblem(client.open.fields);
    if (problem === null) {
      client.write(
        'error',
        `custom_fields_by_lua could not be loaded: ${reason}; the next record tries again`,
      );
    }
    return problem;
  }

  async #open(client: Client): Promise<FieldsReply['problem']> {
    const { problem } = await this.#thread.run(client.open);
    client.isOpen = problem === null;
    return problem;
  }

  /** The next job has a thread that knows no configuration. */
  async #renew(): Promise<void> {
    await this.#thread.close();
    for (const client of this.#clients.values()) client.isOpen = false;
  }

  #take(): Waiting[] {
    let count = 0;
    for (let bytes = 0; count < this.#waiting.length && count < maxBatch && bytes < maxBatchBytes; count++) {
      bytes += this.#waiting[count]?.item.raw.length ?? 0;
    }
    return this.#waiting.splice(0, count);
  }

  async #batch(): Promise<void> {
    const batch = await this.#ready(this.#take());
    if (batch.length === 0) return;
    try {
      const reply = await this.#thread.run({ kind: 'run', items: batch.map(({ item }) => item) });
      for (const { set, level, text } of reply.lines) this.#clients.get(set)?.write(level, text);
      batch.forEach((entry, i) => this.#settle(entry, reply.results[i] ?? []));
    } catch (error) {
      this.#lose(batch, error, error instanceof ThreadLost ? error.steps : 0);
    }
  }

  /** The records whose Lua the thread has. Only records of a configuration whose Lua the thread cannot get fail. */
  async #ready(batch: Waiting[]): Promise<Waiting[]> {
    if (!this.#thread.isRunning) await this.#renew();
    const failed = new Map<Client, string>();
    for (const { client } of batch) if (!this.#clients.has(client.open.set)) failed.set(client, closed);
    // A thread that is lost over one configuration takes the others with it.
    for (;;) {
      const client = batch.find((entry) => !entry.client.isOpen && !failed.has(entry.client))?.client;
      if (client === undefined) break;
      try {
        const problem = await this.#open(client);
        if (problem !== null) failed.set(client, problem.message);
      } catch (error) {
        failed.set(client, messageOf(error));
        await this.#renew();
      }
    }
    return batch.filter((entry) => {
      const reason = failed.get(entry.client);
      if (reason !== undefined) this.#fail(entry, reason);
      return reason === undefined;
    });
  }

  #settle(entry: Waiting, results: readonly FieldResult[]): void {
    this.#bytes -= size(entry);
    entry.resolve([...entry.lost, ...results].sort((a, b) => a.field - b.field));
  }

  /** The field that the thread was computing fails. The rest of the batch is tried again. */
  #lose(batch: Waiting[], error: unknown, steps: number): void {
    const message = messageOf(error);
    let left = steps;
    for (const entry of left > 0 ? batch : []) {
      const { fields } = entry.item;
      if (left > fields.length) {
        left -= fields.length;
        continue;
      }
      const at = fields[left - 1] ?? 0;
      entry.lost.push({ field: at, error: message, isLimit: true });
      entry.item = { ...entry.item, fields: fields.filter((field) => field !== at) };
      this.#waiting.unshift(...batch);
      return;
    }
    for (const entry of batch) this.#fail(entry, message);
  }

  #fail(entry: Waiting, error: string): void {
    this.#settle(
      entry,
      entry.item.fields.map((field) => ({ field, error, isLimit: true })),
    );
  }
}
