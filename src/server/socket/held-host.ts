import { randomInt } from 'node:crypto';
import { Buffer } from 'node:buffer';
import { steadyClock } from '../../base/clock.ts';
import type {
  AskedStart,
  ConnectionHost,
  ForwardedAnswer,
  ForwardedStep,
  RunningInstance,
  StartedInstance,
} from '../connection/index.ts';
import { describeUnread } from '../instances/broken-starts.ts';
import type { InstanceRecord } from '../ipc/messages.ts';
import type { ServerLog } from '../log/types.ts';

/** What a server that ends can still say. */
export interface LastWill {
  readonly maxFrameBytes: number;
  readonly log: ServerLog;
  /** Remembers an instance for the server that follows; false when its id is taken. */
  add(record: InstanceRecord): boolean;
  find(id: number): InstanceRecord | null;
  remove(id: number): void;
  pluginNames(): readonly string[];
  /** Takes a step to the worker that runs its event. Absent where none does. */
  forwardStep?(owner: number, step: ForwardedStep): Promise<ForwardedAnswer>;
}

/** Ids are int32 and more than 0. */
const maxId = 2 ** 31;

/**
 * Answers Kong when no plugin runs any more. An instance gets an id, which the next server knows. An event waits. When
 * the waiting is over, its answer says that its instance is unknown, so that Kong starts it anew at the next server.
 */
export class HeldHost implements ConnectionHost {
  readonly maxFrameBytes: number;
  /** This host is not a worker: any step that comes here belongs to another one's event. */
  readonly workerIndex = -1;
  readonly log: ServerLog;
  readonly clock = steadyClock;
  readonly bodyFiles = null;
  readonly orphans: boolean;
  readonly #will: LastWill;
  #over: boolean;
  #waiting: (() => void)[] = [];

  /** @param orphans see ConnectionHost: no event waits on them */
  constructor(will: LastWill, orphans: boolean) {
    this.#will = will;
    this.orphans = orphans;
    this.#over = orphans;
    this.maxFrameBytes = will.maxFrameBytes;
    this.log = will.log;
  }

  /** From now on no event waits. */
  end(): void {
    this.#over = true;
    for (const tell of this.#waiting.splice(0)) tell();
  }

  createKong(): never {
    throw new Error('no event runs here');
  }

  startInstance(name: string, config: Buffer, _asked: AskedStart): Promise<StartedInstance> {
    const kept = Buffer.from(config);
    const startedAt = Math.floor(Date.now() / 1000);
    for (;;) {
      const id = randomInt(1, maxId);
      if (this.#will.add({ id, name, config: kept, startedAt }))
        return Promise.resolve(describeUnread(id, name, kept, startedAt));
    }
  }

  closeInstance(id: number): Promise<StartedInstance | null> {
    const described = this.instanceStatus(id);
    if (described !== null) this.#will.remove(id);
    return Promise.resolve(described);
  }

  findInstance(): Promise<RunningInstance | null> | null {
    if (this.#over) return null;
    return new Promise((resolve) => {
      this.#waiting.push(() => {
        resolve(null);
      });
    });
  }

  instanceStatus(id: number): StartedInstance | null {
    const record = this.#will.find(id);
    if (record === null) return null;
    return describeUnread(id, record.name, Buffer.from(record.config), record.startedAt);
  }

  pluginNames(): readonly string[] {
    return this.#will.pluginNames();
  }

  pluginInfo(): null {
    return null;
  }

  async forwardStep(owner: number, step: ForwardedStep): Promise<ForwardedAnswer> {
    return (await this.#will.forwardStep?.(owner, step)) ?? { type: 'gone' };
  }
}
