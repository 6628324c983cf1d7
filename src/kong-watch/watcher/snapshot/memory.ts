import type { Baseline, Remembered, Seen, SnapshotStore } from './types.ts';

type Entities = Map<string, { digest: string; text: string }>;

/** Snapshots for the life of the process. */
export class MemorySnapshots implements SnapshotStore {
  readonly durable = false;
  readonly #scopes = new Map<string, Entities>();
  readonly #generations = new Map<string, number>();

  seen(scope: string): Promise<boolean> {
    return Promise.resolve(this.#scopes.has(scope));
  }
  count(scope: string): Promise<number> {
    return Promise.resolve(this.#of(scope).size);
  }
  digests(scope: string, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const entities = this.#of(scope);
    const found = new Map<string, string>();
    for (const id of ids) {
      const digest = entities.get(id)?.digest;
      if (digest !== undefined) found.set(id, digest);
    }
    return Promise.resolve(found);
  }
  idsBeside(scope: string, ids: ReadonlySet<string>): Promise<string[]> {
    return Promise.resolve([...this.#of(scope).keys()].filter((id) => !ids.has(id)));
  }
  text(scope: string, id: string): Promise<string | null> {
    return Promise.resolve(this.#of(scope).get(id)?.text ?? null);
  }
  begin(scope: string): Promise<Baseline> {
    const entities: Entities = new Map();
    return Promise.resolve({
      add: (list: readonly Seen[]) => {
        for (const { id, digest, text } of list) entities.set(id, { digest, text });
        return Promise.resolve();
      },
      commit: () => {
        this.#scopes.set(scope, entities);
        return Promise.resolve();
      },
      abort: () => Promise.resolve(),
    });
  }
  remember(scope: string, changes: readonly Remembered[]): Promise<void> {
    const entities = this.#of(scope);
    this.#scopes.set(scope, entities);
    for (const change of changes) {
      if (change.operation === 'delete') entities.delete(change.id);
      else entities.set(change.id, { digest: change.digest, text: change.text });
    }
    return Promise.resolve();
  }
  forget(scope: string): Promise<void> {
    this.#scopes.delete(scope);
    return Promise.resolve();
  }
  scopes(): Promise<string[]> {
    return Promise.resolve([...this.#scopes.keys()]);
  }
  generation(of: string): Promise<number> {
    return Promise.resolve(this.#generations.get(of) ?? 0);
  }
  nextGeneration(of: string): Promise<void> {
    this.#generations.set(of, (this.#generations.get(of) ?? 0) + 1);
    return Promise.resolve();
  }
  close(): Promise<void> {
    this.#scopes.clear();
    return Promise.resolve();
  }

  #of(scope: string): Entities {
    return this.#scopes.get(scope) ?? new Map<string, { digest: string; text: string }>();
  }
}
