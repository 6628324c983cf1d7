import type { ForwardedAnswer, ForwardedStep } from '../connection/host.ts';
import type { RememberedInstances } from '../remembered/remembered-instances.ts';
import type { InstanceRecord } from '../ipc/messages.ts';

/** What a worker asks of the supervisor. */
export interface WorkerLink {
  /** Remembers an instance; false when its id is taken. */
  record(record: InstanceRecord): Promise<boolean>;
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
  find: () => Promise.resolve(null),
  forget: () => undefined,
  forwardStep: null,
};
