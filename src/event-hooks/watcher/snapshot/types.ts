/** An entity as the last look has seen it. */
export interface Known {
  /** Digest of the entity's content. */
  readonly digest: string;
  /** How often this id has changed, counted by the store: makes the ids of its events unlike each other. */
  readonly revision: number;
}

/** What a look has found out about one entity, to be remembered. */
export type Remembered =
  | {
      readonly id: string;
      readonly operation: 'create' | 'update';
      readonly digest: string;
      readonly text: string;
    }
  | { readonly id: string; readonly operation: 'delete' };

/**
 * What the watcher has seen last, by kind and id. It outlives the process, so that changes made while the watcher was
 * away become events when it is back. Every method rejects with KongTsError STORE_FAILED and has then changed nothing.
 */
export interface SnapshotStore {
  /** Whether it survives the process. */
  readonly durable: boolean;
  /** Whether this kind was ever looked at; until then nothing of it is a change. */
  seen(scope: string): Promise<boolean>;
  known(scope: string): Promise<ReadonlyMap<string, Known>>;
  /** The JSON text of an entity as it was; null when it is not known. */
  text(scope: string, id: string): Promise<string | null>;
  /** Remembers changes and that the kind was looked at, in one transaction. */
  remember(scope: string, changes: readonly Remembered[]): Promise<void>;
  /** Forgets a kind, or all of them (null): nobody listens, so what changes meanwhile is nobody's event. */
  forget(scope: string | null): Promise<void>;
  close(): Promise<void>;
}
