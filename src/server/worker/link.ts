import type { AskedStart, ForwardedAnswer, ForwardedStep } from '../connection/host.ts';
import type { RememberedInstances } from '../remembered/remembered-instances.ts';
import type { InstanceRecord } from '../ipc/messages.ts';

/** What a worker asks of the supervisor. */
export interface WorkerLink {
  /**
   * Remembers an instance; false when its id is taken.
   * @param asked the StartInstance that waits for it: answered by somebody else should this process end before `started`
   */
  record(record: InstanceRecord, asked: AskedStart | null): Promise<boolean>;
  /** The StartInstance on this connection is answered now. */
  started(ticket: number): void;
  find(id: number): Promise<InstanceRecord | null>;
  /** Kong has closed the instance. */
  forget(id: number): void;
  /** Null where there is one worker only. */
  readonly forwardStep: ((owner: number, step: ForwardedStep) => Promise<ForwardedAnswer>) | null;
}

/** The link of a server without workers that remembers in a file. */
export function rememberingLink(instances: RememberedInstances): WorkerLink {
  return {
    record: (record) => Promise.resolve(instances.add(record)),
    started: () => undefined,
    find: (id) => Promise.resolve(instances.find(id)),
    forget: (id) => {
      instances.remove(id);
    },
    forwardStep: null,
  };
}

/** The link of a server without workers: one process remembers by itself. */
export const noSupervisor: WorkerLink = {
  record: () => Promise.resolve(true),
  started: () => undefined,
  find: () => Promise.resolve(null),
  forget: () => undefined,
  forwardStep: null,
};
