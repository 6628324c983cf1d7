import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';

/** A web server in a process of its own that counts what it gets. */
export class Sink {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.url = `http://127.0.0.1:${String(port)}`;
  }

  static async start(): Promise<Sink> {
    const child = fork(new URL('../sink/main.ts', import.meta.url));
    const port = await new Promise<number>((resolve) => {
      child.once('message', (message: { port: number }) => resolve(message.port));
    });
    return new Sink(child, port);
  }

  count(): Promise<{ received: number; bytes: number }> {
    return this.#ask({ ask: 'count' });
  }
  /** Whether it answers what it takes. */
  async answer(answering: boolean): Promise<void> {
    await this.#ask({ answering });
  }
  /** Waits until it has got `count` requests; rejects when nothing more comes for ten seconds. */
  async until(count: number): Promise<void> {
    let last = -1;
    let since = performance.now();
    for (;;) {
      const { received } = await this.count();
      if (received >= count) return;
      if (received !== last) {
        last = received;
        since = performance.now();
      }
      if (performance.now() - since > 10_000)
        throw new Error(`the sink has ${String(received)} of ${String(count)} requests, and no more come`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
  close(): void {
    this.#child.kill();
  }

  #ask(message: object): Promise<{ received: number; bytes: number }> {
    return new Promise((resolve) => {
      this.#child.once('message', resolve);
      this.#child.send(message);
    });
  }
}
