import type { RememberedInstances } from '../remembered/remembered-instances.ts';
import { rememberingLink } from '../worker/link.ts';
import type { WorkerLink } from '../worker/link.ts';

/**
 * What a worker asks when its supervisor is gone: it reads and writes the instance file by itself, which the server that follows
 * reads, too. Steps of events on other workers find nobody: Kong begins those events anew.
 * @param forgotten see rememberingLink
 */
export function orphanLink(instances: RememberedInstances, forgotten: (id: number) => void): WorkerLink {
  return {
    ...rememberingLink(instances, forgotten),
    forwardStep: () => Promise.resolve({ type: 'gone' }),
  };
}

/** Asks the supervisor, and after `orphan` has been called what that gives. */
export class HandedLink implements WorkerLink {
  readonly #supervisor: WorkerLink;
  #orphan: WorkerLink | null = null;

  constructor(supervisor: WorkerLink) {
    this.#supervisor = supervisor;
  }

  /** The supervisor is gone: what it had been asked and has not answered is asked again. */
  orphan(link: WorkerLink): void {
    this.#orphan = link;
  }

  readonly record: WorkerLink['record'] = (record, asked) => this.#ask((link) => link.record(record, asked));

  readonly find: WorkerLink['find'] = (id) => this.#ask((link) => link.find(id));

  readonly forwardStep: WorkerLink['forwardStep'] = (owner, step) =>
    this.#ask((link) => link.forwardStep?.(owner, step) ?? Promise.resolve({ type: 'gone' }));

  started(ticket: number): void {
    (this.#orphan ?? this.#supervisor).started(ticket);
  }

  forget(id: number): void {
    (this.#orphan ?? this.#supervisor).forget(id);
  }

  read(files: Parameters<WorkerLink['read']>[0]): void {
    (this.#orphan ?? this.#supervisor).read(files);
  }

  async #ask<Answer>(ask: (link: WorkerLink) => Promise<Answer>): Promise<Answer> {
    if (this.#orphan !== null) return ask(this.#orphan);
    try {
      return await ask(this.#supervisor);
    } catch (error) {
      if (this.#orphan === null) throw error;
      return ask(this.#orphan);
    }
  }
}
