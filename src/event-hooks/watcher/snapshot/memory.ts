import type { Known, Remembered, SnapshotStore } from './types.ts';

/** Snapshots for the life of the process. */
export class MemorySnapshots implements SnapshotStore {
  readonly durable = false;
  readonly #scopes = new Map<string, Map<string, Known & { text: string }>>();
  /** Revisions go on after a deletion, so that an id that comes back does not repeat the ids of its events. */
  #revision = 0;

  seen(scope: string): Promise<boolean> {
    return Promise.resolve(this.#scopes.has(scope));
  }
  known(scope: string): Promise<ReadonlyMap<string, Known>> {
    return Promise.resolve(this.#scopes.get(scope) ?? new Map<string, Known>());
  }
  text(scope: string, id: string): Promise<string | null> {
    return Promise.resolve(this.#scopes.get(scope)?.get(id)?.text ?? null);
  }
  remember(scope: string, changes: readonly Remembered[]): Promise<void> {
    const entities = this.#scopes.get(scope) ?? new Map<string, Known & { text: string }>();
    this.#scopes.set(scope, entities);
    for (const change of changes) {
      if (change.operation === 'delete') entities.delete(change.id);
      else entities.set(change.id, { digest: change.digest, text: change.text, revision: ++this.#revision });
    }
    return Promise.resolve();
  }
  forget(scope: string | null): Promise<void> {
    if (scope === null) this.#scopes.clear();
    else this.#scopes.delete(scope);
    return Promise.resolve();
  }
  close(): Promise<void> {
    this.#scopes.clear();
    return Promise.resolve();
  }
}
