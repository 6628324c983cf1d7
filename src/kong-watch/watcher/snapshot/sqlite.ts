import { SqliteFile } from '../../../sqlite/index.ts';
import type { Baseline, Remembered, Seen, SnapshotStore } from './types.ts';

/** Goes up when digests are made in another way. Then the digests of an older version cannot be compared. */
const format = 1;

const tables = `
  CREATE TABLE IF NOT EXISTS scopes (scope TEXT PRIMARY KEY, id INTEGER NOT NULL UNIQUE) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS entities (
    scope INTEGER NOT NULL, id TEXT NOT NULL, digest TEXT NOT NULL, text TEXT NOT NULL,
    PRIMARY KEY (scope, id)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
`;
const put = 'INSERT OR REPLACE INTO entities (scope, id, digest, text) VALUES (?, ?, ?, ?)';

/** Snapshots in a SQLite file (WAL): at a poll, only the digests of one page are in memory. */
export class SqliteSnapshots implements SnapshotStore {
  readonly durable = true;
  readonly #file: SqliteFile;

  /** @throws KongTsError STORE_FAILED if the file cannot be opened or is not ours */
  constructor(path: string) {
    this.#file = new SqliteFile(path, {
      name: "The snapshot of Kong's entities in",
      layout: { version: 1, sql: tables },
      synchronous: 'normal',
      busyMs: 5000,
      fix: 'Where nothing helps, remove the file: the next poll then starts anew and emits nothing.',
    });
    this.#file.guard(() => {
      this.#tidy();
    });
  }

  seen(scope: string): Promise<boolean> {
    return this.#file.run(() => this.#scopeId(scope) !== null);
  }

  count(scope: string): Promise<number> {
    return this.#file.run(() => {
      const row = this.#file
        .prepare('SELECT count(*) AS n FROM entities WHERE scope = ?')
        .get(this.#scopeId(scope));
      return Number(row?.n ?? 0);
    });
  }

  digests(scope: string, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return this.#file.run(() => {
      const at = this.#scopeId(scope);
      const found = new Map<string, string>();
      if (at === null) return found;
      const one = this.#file.prepare('SELECT digest FROM entities WHERE scope = ? AND id = ?');
      for (const id of ids) {
        const row = one.get(at, id);
        if (row !== undefined) found.set(id, String(row.digest));
      }
      return found;
    });
  }

  idsBeside(scope: string, ids: ReadonlySet<string>): Promise<string[]> {
    return this.#file.run(() => {
      const found: string[] = [];
      for (const row of this.#file
        .prepare('SELECT id FROM entities WHERE scope = ?')
        .iterate(this.#scopeId(scope))) {
        const id = String(row.id);
        if (!ids.has(id)) found.push(id);
      }
      return found;
    });
  }

  text(scope: string, id: string): Promise<string | null> {
    return this.#file.run(() => {
      const row = this.#file
        .prepare('SELECT text FROM entities WHERE scope = ? AND id = ?')
        .get(this.#scopeId(scope), id);
      if (row === undefined) return null;
      const text = String(row.text);
      // A damaged row says only which entity it was for.
      return isEntity(text) ? text : JSON.stringify({ id });
    });
  }

  begin(scope: string): Promise<Baseline> {
    return this.#file.run(() => {
      // Rows of a scope without a name belong to nobody, so a process that dies here leaves nothing behind.
      const id = this.#nextScope();
      return {
        add: (list: readonly Seen[]) =>
          this.#file.run(() => {
            this.#file.atomic(() => {
              for (const one of list) this.#file.prepare(put).run(id, one.id, one.digest, one.text);
            });
          }),
        commit: (entities: number) =>
          this.#file.run(() => {
            this.#file.atomic(() => {
              const row = this.#file.prepare('SELECT count(*) AS n FROM entities WHERE scope = ?').get(id);
              if (Number(row?.n ?? 0) !== entities) throw new Error('another process has tidied it up');
              this.#drop(scope);
              this.#file.prepare('INSERT OR REPLACE INTO scopes (scope, id) VALUES (?, ?)').run(scope, id);
            });
          }),
        abort: () =>
          this.#file.run(() => {
            this.#file.prepare('DELETE FROM entities WHERE scope = ?').run(id);
          }),
      };
    });
  }

  remember(scope: string, changes: readonly Remembered[]): Promise<void> {
    return this.#file.run(() => {
      this.#file.atomic(() => {
        const at = this.#scopeId(scope) ?? this.#newScope(scope);
        for (const change of changes) {
          if (change.operation === 'delete') {
            this.#file.prepare('DELETE FROM entities WHERE scope = ? AND id = ?').run(at, change.id);
          } else this.#file.prepare(put).run(at, change.id, change.digest, change.text);
        }
      });
    });
  }

  forget(scope: string): Promise<void> {
    return this.#file.run(() => {
      this.#file.atomic(() => {
        this.#drop(scope);
      });
    });
  }
  scopes(): Promise<string[]> {
    return this.#file.run(() =>
      this.#file
        .prepare('SELECT scope FROM scopes')
        .all()
        .map((row) => String(row.scope)),
    );
  }

  generation(of: string): Promise<number> {
    return this.#file.run(() => this.#counter(`generation of ${of}`));
  }
  nextGeneration(of: string): Promise<void> {
    return this.#file.run(() => {
      this.#count(`generation of ${of}`, this.#counter(`generation of ${of}`) + 1);
    });
  }

  close(): Promise<void> {
    return this.#file.run(() => {
      this.#file.close();
    });
  }

  /** Rows of polls that were never finished go, and everything that an older version has seen. */
  #tidy(): void {
    this.#file.atomic(() => {
      if (this.#counter('format') !== format) this.#file.change('DELETE FROM scopes');
      this.#count('format', format);
      this.#file.change('DELETE FROM entities WHERE scope NOT IN (SELECT id FROM scopes)');
    });
  }
  #drop(scope: string): void {
    const id = this.#scopeId(scope);
    if (id === null) return;
    this.#file.prepare('DELETE FROM entities WHERE scope = ?').run(id);
    this.#file.prepare('DELETE FROM scopes WHERE id = ?').run(id);
  }
  #scopeId(scope: string): number | null {
    const row = this.#file
      .prepare('SELECT id FROM scopes WHERE scope = ? AND id BETWEEN 0 AND 9007199254740991')
      .get(scope);
    return row === undefined ? null : Number(row.id);
  }
  #nextScope(): number {
    const id = this.#counter('scope') + 1;
    this.#count('scope', id);
    return id;
  }
  #newScope(scope: string): number {
    const id = this.#nextScope();
    this.#file.prepare('INSERT OR REPLACE INTO scopes (scope, id) VALUES (?, ?)').run(scope, id);
    return id;
  }
  #count(name: string, value: number): void {
    this.#file.prepare('INSERT OR REPLACE INTO counters (name, value) VALUES (?, ?)').run(name, value);
  }
  #counter(name: string): number {
    return Number(
      this.#file
        .prepare('SELECT value FROM counters WHERE name = ? AND value BETWEEN 0 AND 4503599627370496')
        .get(name)?.value ?? 0,
    );
  }
}

/** Whether a text is one JSON object. */
function isEntity(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
