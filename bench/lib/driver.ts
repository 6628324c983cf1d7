import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import type { Job, Outcome } from '../driver/job.ts';

/** The load generator in a process of its own, so that its work is not the server's. */
export class Driver {
  readonly #child: ChildProcess;

  constructor() {
    this.#child = fork(new URL('../driver/main.ts', import.meta.url));
  }

  run(job: Partial<Job> & Pick<Job, 'socket' | 'protocol' | 'plugin' | 'phase'>): Promise<Outcome> {
    const whole: Job = {
      config: {},
      connections: 16,
      seconds: 2,
      events: Number.MAX_SAFE_INTEGER,
      rate: 0,
      warmup: 0,
      ...job,
    };
    return new Promise((resolve, reject) => {
      this.#child.once('message', (answer: { outcome?: Outcome; error?: string }) => {
        if (answer.outcome !== undefined) resolve(answer.outcome);
        else
          reject(
            new Error(
              `${String(job.plugin)} ${job.phase} over ${job.protocol}: ${answer.error ?? 'no answer'}`,
            ),
          );
      });
      this.#child.send(whole);
    });
  }

  close(): void {
    this.#child.kill();
  }
}
