import { Buffer } from 'node:buffer';
import { startAnswer } from '../connection/start-answer.ts';
import type { AskedStart } from '../connection/host.ts';
import { describeUnread } from '../instances/broken-starts.ts';
import type { InstanceRecord } from '../ipc/messages.ts';

interface Open<Worker> {
  readonly worker: Worker;
  readonly asked: AskedStart;
  readonly record: InstanceRecord;
}

/**
 * The StartInstance calls that workers have not answered. When a worker dies, its supervisor answers in its place. Kong
 * gets the id, which every worker knows, and the worker that gets the first event sets the instance up. Without an
 * answer, the end of the connection raises in Kong (read in Kong 3.9.3). That is a 500, and in a log phase handlers get
 * the data of another request.
 */
export class OpenStarts<Worker> {
  /** By the ticket of the connection. A connection carries one call at a time. */
  readonly #open = new Map<number, Open<Worker>>();

  get size(): number {
    return this.#open.size;
  }

  add(worker: Worker, asked: AskedStart, record: InstanceRecord): void {
    this.#open.set(asked.ticket, { worker, asked, record });
  }

  /** The call has been answered, or its connection is gone. */
  close(ticket: number): void {
    this.#open.delete(ticket);
  }

  /** Returns the calls that the worker has not answered, by ticket, and forgets them. */
  takeOf(worker: Worker): Map<number, { readonly answer: Buffer; readonly record: InstanceRecord }> {
    const taken = new Map<number, { answer: Buffer; record: InstanceRecord }>();
    for (const [ticket, { worker: owner, asked, record }] of this.#open) {
      if (owner !== worker) continue;
      this.#open.delete(ticket);
      const { id, name, config, startedAt } = record;
      const described = describeUnread(id, name, Buffer.from(config), startedAt);
      taken.set(ticket, { answer: startAnswer(asked, described), record });
    }
    return taken;
  }
}
