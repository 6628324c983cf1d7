import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';

/** What a log endpoint has got. Records are counted one by one where they are numbered. */
export interface Received {
  requests: number;
  bytes: number;
  distinct: number;
  repeated: number;
  /** Requests answered with 503, or not at all. */
  refused: number;
}

/** The log endpoint of `bench/sink/records.ts` in a process of its own. */
export class RecordSink {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.url = `http://127.0.0.1:${String(port)}`;
  }

  static async start(): Promise<RecordSink> {
    const child = fork(new URL('../sink/records.ts', import.meta.url));
    const [{ port }] = (await once(child, 'message')) as [{ port: number }];
    return new RecordSink(child, port);
  }

  /** Gives orders (see the process) and tells what has come. */
  async order(order: object = {}): Promise<Received> {
    const answer = once(this.#child, 'message') as Promise<[Received]>;
    this.#child.send(order);
    const [received] = await answer;
    return received;
  }

  /** Waits until `enough`; rejects when nothing more comes for `patienceMs` milliseconds. */
  async until(enough: (received: Received) => boolean, patienceMs = 15_000): Promise<Received> {
    let bytes = -1;
    let since = performance.now();
    for (;;) {
      const received = await this.order();
      if (enough(received)) return received;
      if (received.bytes !== bytes) {
        bytes = received.bytes;
        since = performance.now();
      }
      if (performance.now() - since > patienceMs)
        throw new Error(`nothing more comes: ${JSON.stringify(received)}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  close(): void {
    this.#child.kill();
  }
}
