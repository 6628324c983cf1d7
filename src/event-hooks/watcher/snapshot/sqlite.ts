import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { KongTsError, messageOf } from '../../../errors.ts';
import type { Known, Remembered, SnapshotStore } from './types.ts';

const tables = `
  CREATE TABLE IF NOT EXISTS scopes (scope TEXT PRIMARY KEY, id INTEGER NOT NULL UNIQUE) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS entities (
    scope INTEGER NOT NULL, id TEXT NOT NULL, digest TEXT NOT NULL, revision INTEGER NOT NULL, text TEXT NOT NULL,
    PRIMARY KEY (scope, id)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
`;

/** Snapshots in a SQLite file (WAL): the digests are read at a look, the texts stay on disk until they are needed. */
export class SqliteSnapshots implements SnapshotStore {
  readonly durable = true;
  readonly #database: DatabaseSync;
  readonly #file: string;
  readonly #statements = new Map<string, StatementSync>();

  /** @throws KongTsError STORE_FAILED when the file cannot be opened or is none of ours */
  constructor(file: string) {
    this.#file = file;
    this.#database = this.#guard(() => {
      const database = new DatabaseSync(file, { timeout: 5000 });
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
      database.exec(tables);
      return database;
    });
  }

  seen(scope: string): Promise<boolean> {
    return this.#run(() => this.#scopeId(scope) !== null);
  }

  known(scope: string): Promise<ReadonlyMap<string, Known>> {
    return this.#run(() => {
      const id = this.#scopeId(scope);
      const map = new Map<string, Known>();
      if (id === null) return map;
      for (const row of this.#sql('SELECT id, digest, revision FROM entities WHERE scope = ?').iterate(id)) {
        map.set(String(row.id), { digest: String(row.digest), revision: Number(row.revision) });
      }
      return map;
    });
  }

  text(scope: string, id: string): Promise<string | null> {
    return this.#run(() => {
      const row = this.#sql('SELECT text FROM entities WHERE scope = ? AND id = ?').get(
        this.#scopeId(scope),
        id,
      );
      return row === undefined ? null : String(row.text);
    });
  }

  remember(scope: string, changes: readonly Remembered[]): Promise<void> {
    return this.#run(() => {
      this.#transaction(() => {
        const at = this.#scopeId(scope) ?? this.#newScope(scope);
        let revision = this.#counter('revision');
        for (const change of changes) {
          if (change.operation === 'delete') {
            this.#sql('DELETE FROM entities WHERE scope = ? AND id = ?').run(at, change.id);
          } else {
            revision += 1;
            this.#sql(
              'INSERT OR REPLACE INTO entities (scope, id, digest, revision, text) VALUES (?, ?, ?, ?, ?)',
            ).run(at, change.id, change.digest, revision, change.text);
          }
        }
        this.#sql("INSERT OR REPLACE INTO counters (name, value) VALUES ('revision', ?)").run(revision);
      });
    });
  }

  forget(scope: string | null): Promise<void> {
    return this.#run(() => {
      if (scope === null) {
        this.#transaction(() => {
          this.#database.exec('DELETE FROM entities; DELETE FROM scopes;');
        });
        return;
      }
      const id = this.#scopeId(scope);
      if (id === null) return;
      this.#transaction(() => {
        this.#sql('DELETE FROM entities WHERE scope = ?').run(id);
        this.#sql('DELETE FROM scopes WHERE id = ?').run(id);
      });
    });
  }

  close(): Promise<void> {
    return this.#run(() => {
      this.#database.close();
    });
  }

  #transaction(work: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      work();
      this.#database.exec('COMMIT');
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }
  #scopeId(scope: string): number | null {
    const row = this.#sql('SELECT id FROM scopes WHERE scope = ?').get(scope);
    return row === undefined ? null : Number(row.id);
  }
  #newScope(scope: string): number {
    const id = this.#counter('scope') + 1;
    this.#sql("INSERT OR REPLACE INTO counters (name, value) VALUES ('scope', ?)").run(id);
    this.#sql('INSERT INTO scopes (scope, id) VALUES (?, ?)').run(scope, id);
    return id;
  }
  #counter(name: string): number {
    return Number(this.#sql('SELECT value FROM counters WHERE name = ?').get(name)?.value ?? 0);
  }
  #sql(text: string): StatementSync {
    const known = this.#statements.get(text);
    if (known !== undefined) return known;
    const made = this.#database.prepare(text);
    this.#statements.set(text, made);
    return made;
  }
  #run<T>(work: () => T): Promise<T> {
    return new Promise((resolve) => {
      resolve(this.#guard(work));
    });
  }
  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw new KongTsError(
        'STORE_FAILED',
        `The snapshot of Kong's entities in ${this.#file} failed: ${messageOf(error)}.`,
        {
          cause: error,
          fix: 'Free the disk, or remove the file: the next look then starts anew and emits nothing.',
        },
      );
    }
  }
}
