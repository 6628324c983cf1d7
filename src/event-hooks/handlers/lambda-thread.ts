import { messageOf } from '../../base/errors.ts';
import { LuaThread } from '../../lua/index.ts';
import type { LambdaCall, LambdaLimits, LambdaReply, LambdaStart } from './lambda-protocol.ts';

/** Beyond a function's own limit: loading Lua, and waiting for a processor. */
const graceMs = 5000;

/** The thread of one hook. It makes one call at a time, and a failure of one call does not affect the next. */
export class LambdaThread {
  readonly #thread: LuaThread<LambdaCall, LambdaReply>;
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(functions: string[], limits: LambdaLimits) {
    const data: LambdaStart = { functions, limits };
    this.#thread = new LuaThread({
      entry: new URL('./lambda-worker.ts', import.meta.url),
      data,
      stuckMs: limits.timeoutMs + graceMs,
    });
  }

  /** @returns why it failed, null when every function returned true */
  call(payload: Record<string, unknown>, event: unknown, source: unknown): Promise<string | null> {
    const result = this.#last.then(() => this.#run({ payload, event, source, pid: process.pid }));
    this.#last = result;
    return result;
  }

  async close(): Promise<void> {
    await this.#last;
    this.#closed = true;
    await this.#thread.close();
  }

  /** Never rejects: the next call waits for it. */
  async #run(call: LambdaCall): Promise<string | null> {
    if (this.#closed) return 'the hook was closed';
    try {
      return (await this.#thread.run(call)).error;
    } catch (error) {
      return messageOf(error);
    }
  }
}
