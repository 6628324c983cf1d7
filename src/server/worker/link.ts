import type { SeenFile } from '../../base/file-signature.ts';
import type { AskedStart, ForwardedAnswer, ForwardedStep } from '../connection/host.ts';
import type { RememberedInstances } from '../remembered/remembered-instances.ts';
import type { InstanceRecord } from '../ipc/messages.ts';

/** What a worker asks of the supervisor. */
export interface WorkerLink {
  /**
   * Remembers an instance; false when its id is taken.
   * @param asked the StartInstance that waits for it: if this process ends before `started`, the supervisor answers it
   */
  record(record: InstanceRecord, asked: AskedStart | null): Promise<boolean>;
  /** The StartInstance on this connection is answered now. */
  started(ticket: number): void;
  find(id: number): Promise<InstanceRecord | null>;
  /** Kong has closed the instance. */
  forget(id: number): void;
  /** Plugins are loaded from these files. Called where they are watched. */
  read(files: readonly SeenFile[]): void;
  /** Null where there is one worker only. */
  readonly forwardStep: ((owner: number, step: ForwardedStep) => Promise<ForwardedAnswer>) | null;
}

/**
 * The link of a server without workers.
 * @param forgotten called with the ids that are too many: from then on they are unknown
 */
export function rememberingLink(instances: RememberedInstances, forgotten: (id: number) => void): WorkerLink {
  return {
    record: (record) => Promise.resolve(instances.add(record, forgotten)),
    started: () => undefined,
    find: (id) => Promise.resolve(instances.find(id)),
    forget: (id) => {
      instances.remove(id);
    },
    read: () => undefined,
    forwardStep: null,
  };
}
