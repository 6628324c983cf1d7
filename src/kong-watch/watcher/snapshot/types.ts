/** An entity as a poll has found it. */
export interface Seen {
  readonly id: string;
  /** Digest of its content. */
  readonly digest: string;
  /** Its JSON text. */
  readonly text: string;
}

/** What a poll has found out about one entity, to be remembered. */
export type Remembered = ({ readonly operation: 'create' | 'update' } & Seen) | Forgotten;
export interface Forgotten {
  readonly id: string;
  readonly operation: 'delete';
}

/** The first poll of a kind on its way into the store, page by page: it counts as a whole, or not at all. */
export interface Baseline {
  add(entities: readonly Seen[]): Promise<void>;
  /** @param entities how many were added; rejects when others are stored: another process has taken the store over */
  commit(entities: number): Promise<void>;
  abort(): Promise<void>;
}

/**
 * What the watcher has seen last, by scope (a kind) and id. It outlives the process, so that changes made while the
 * watcher was away become events when it is back. Every method rejects with KongTsError STORE_FAILED and has then
 * changed nothing.
 */
export interface SnapshotStore {
  /** Whether it survives the process. */
  readonly durable: boolean;
  /** Whether this kind was ever polled. Until then nothing of it counts as a change. */
  seen(scope: string): Promise<boolean>;
  /** How many entities are known. */
  count(scope: string): Promise<number>;
  /** The digests of those of the ids that are known. */
  digests(scope: string, ids: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** The known ids that are not among the given ones. */
  idsBeside(scope: string, ids: ReadonlySet<string>): Promise<string[]>;
  /** The JSON text of an entity as it was; null when it is not known. */
  text(scope: string, id: string): Promise<string | null>;
  /** Begins the first poll of a kind; replaces what is known of it when it is committed. */
  begin(scope: string): Promise<Baseline>;
  /** Remembers changes, in one transaction. */
  remember(scope: string, changes: readonly Remembered[]): Promise<void>;
  /** Forgets a kind. Nobody listens, so nobody needs events about its changes. */
  forget(scope: string): Promise<void>;
  /** Every scope that was polled. */
  scopes(): Promise<string[]>;
  /**
   * A number that goes up each time a portion of changes has been remembered. It is part of the ids of events:
   * a poll that is repeated after a crash makes the same ids, and an entity that comes back makes others.
   * @param of whose polls are counted
   */
  generation(of: string): Promise<number>;
  nextGeneration(of: string): Promise<void>;
  close(): Promise<void>;
}
