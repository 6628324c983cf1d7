import { Worker } from 'node:worker_threads';
import { messageOf } from '../../errors.ts';
import type { LambdaCall, LambdaLimits, LambdaReply, LambdaStart } from './lambda-protocol.ts';

/** Beyond the functions' own limits: loading Lua, and waiting for a processor. */
const graceMs = 5000;

/** The thread of one hook: started with the first call, one call at a time, replaced should it ever not answer. */
export class LambdaThread {
  readonly #start: LambdaStart;
  #worker: Worker | null = null;
  #last: Promise<unknown> = Promise.resolve();
  #number = 0;
  #closed = false;

  constructor(functions: string[], limits: LambdaLimits) {
    this.#start = { functions, limits };
  }

  /** @returns why it failed, null when every function returned true */
  call(payload: Record<string, unknown>, event: unknown, source: unknown): Promise<string | null> {
    const call = { number: ++this.#number, payload, event, source, pid: process.pid };
    const result = this.#last.then(() => this.#run(call));
    this.#last = result;
    return result;
  }

  async close(): Promise<void> {
    await this.#last;
    this.#closed = true;
    await this.#worker?.terminate();
  }

  #run(call: LambdaCall): Promise<string | null> {
    if (this.#closed) return Promise.resolve('the hook was closed');
    return new Promise((resolve) => {
      const worker = (this.#worker ??= this.#spawn());
      const { functions, limits } = this.#start;
      const settle = (error: string | null): void => {
        clearTimeout(timer);
        worker.off('message', onMessage).off('error', onError);
        worker.unref();
        resolve(error);
      };
      const replace = (reason: string): void => {
        this.#worker = null;
        void worker.terminate();
        settle(reason);
      };
      const onMessage = ({ number, error }: LambdaReply): void => {
        if (number === call.number) settle(error);
      };
      const onError = (error: unknown): void => {
        replace(messageOf(error));
      };
      const timer = setTimeout(
        () => {
          replace('the functions did not end in time and were stopped');
        },
        functions.length * limits.timeoutMs + graceMs,
      );
      worker.ref();
      worker.on('message', onMessage).on('error', onError);
      worker.postMessage(call);
    });
  }

  #spawn(): Worker {
    const file = import.meta.url.endsWith('.ts') ? './lambda-worker.ts' : './lambda-worker.js';
    return new Worker(new URL(file, import.meta.url), {
      workerData: this.#start,
      // Lua's memory is counted by its own limits; this is the thread's JavaScript.
      resourceLimits: { maxOldGenerationSizeMb: 128 },
    });
  }
}
