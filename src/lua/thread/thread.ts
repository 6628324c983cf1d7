import { Worker } from 'node:worker_threads';
import { runsFromSource } from '../../base/package.ts';

/** What a thread is started with beside its own data. */
export interface ThreadStart {
  /** One counter, which the thread raises at each step. */
  readonly steps: SharedArrayBuffer;
  readonly data: unknown;
}

export type ThreadAnswer = { readonly value: unknown } | { readonly error: string };

export interface LuaThreadOptions {
  /** The module that calls `serveLuaThread`. Its ending `.ts` becomes `.js` in the built package. */
  readonly entry: URL;
  /** Handed to the module, copied. */
  readonly data?: unknown;
  /**
   * How long a thread may go without a step until it is ended, in milliseconds. The end comes after up to twice as
   * long.
   */
  readonly stuckMs: number;
}

/** How long a thread may take to start, on a machine that is busy with others. */
const startMs = 30_000;

/** A thread ended, or was ended, in the middle of a job. */
export class ThreadLost extends Error {
  /** How many steps of the job had begun. */
  readonly steps: number;

  constructor(reason: string, steps: number) {
    super(reason);
    this.steps = steps;
  }
}

/**
 * A thread that runs Lua for somebody who must not wait: one job at a time, watched from outside. It is started with the
 * first job, ended when it makes no step for too long, and started anew with the next job.
 */
export class LuaThread<Job, Reply> {
  readonly #options: LuaThreadOptions;
  #worker: Worker | null = null;
  #isReady = false;
  #steps = new Int32Array(new SharedArrayBuffer(4));

  constructor(options: LuaThreadOptions) {
    this.#options = options;
  }

  /** Whether a thread runs; false after it was lost, until the next job. */
  get isRunning(): boolean {
    return this.#worker !== null;
  }

  /**
   * Runs a job. The next one must wait until it has ended.
   *
   * @throws ThreadLost when the thread ended or was ended; Error when the job failed in it, or cannot be copied into it
   */
  run(job: Job): Promise<Reply> {
    const worker = (this.#worker ??= this.#spawn());
    Atomics.store(this.#steps, 0, 0);
    return new Promise((resolve, reject) => {
      let seen = 0;
      let patience = Math.ceil(startMs / this.#options.stuckMs);
      const settle = (): void => {
        clearInterval(timer);
        worker.off('message', onMessage).off('error', onError).off('exit', onExit);
        worker.unref();
      };
      const lose = (reason: string): void => {
        settle();
        if (this.#worker === worker) this.#worker = null;
        // An error may follow while it ends: nobody waits for it any more.
        worker.on('error', () => undefined);
        void worker.terminate();
        reject(new ThreadLost(reason, Atomics.load(this.#steps, 0)));
      };
      const onMessage = (answer: ThreadAnswer | 'ready'): void => {
        if (answer === 'ready') return;
        settle();
        if ('error' in answer) reject(new Error(answer.error));
        else resolve(answer.value as Reply);
      };
      const onError = (error: unknown): void => {
        lose(error instanceof Error ? error.message : String(error));
      };
      const onExit = (): void => {
        lose('the thread of the Lua code ended');
      };
      const timer = setInterval(() => {
        const steps = Atomics.load(this.#steps, 0);
        patience -= 1;
        if (steps === seen && (this.#isReady || patience <= 0))
          lose('the Lua code did not end in time and was stopped');
        // The job that begins when the thread is ready has its whole time.
        seen = this.#isReady ? steps : -1;
      }, this.#options.stuckMs);
      worker.ref();
      worker.on('message', onMessage).on('error', onError).on('exit', onExit);
      try {
        worker.postMessage(job);
      } catch (error) {
        settle();
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  }

  /** Ends the thread; a job under way is lost. */
  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = null;
    await worker?.terminate();
  }

  #spawn(): Worker {
    const { entry, data } = this.#options;
    const file = runsFromSource ? entry : new URL(entry.href.replace(/\.ts$/, '.js'));
    this.#steps = new Int32Array(new SharedArrayBuffer(4));
    const start: ThreadStart = { steps: this.#steps.buffer, data };
    const worker = new Worker(file, {
      workerData: start,
      ...(runsFromSource ? { execArgv: ['--conditions=kong-ts-source'] } : {}),
      // Lua's memory is counted by its own limits; this is the thread's JavaScript.
      resourceLimits: { maxOldGenerationSizeMb: 128 },
    });
    this.#isReady = false;
    worker.once('message', () => {
      if (this.#worker === worker) this.#isReady = true;
    });
    worker.on('exit', () => {
      if (this.#worker === worker) this.#worker = null;
    });
    return worker;
  }
}
