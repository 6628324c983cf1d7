import { randomUUID } from 'node:crypto';
import { isUuid } from '../../base/uuid.ts';
import { messageOf } from '../../base/errors.ts';
import type { Clock } from '../../base/clock.ts';
import { compileHook } from '../model/compile.ts';
import { HookExistsError, HookInvalidError } from '../model/errors.ts';
import type { Hook } from '../model/hook.ts';
import type { KindSet } from '../model/kind-set.ts';
import type { HookLog } from '../log.ts';
import type { HookStore } from '../store/types.ts';
import { HookTable } from './matching.ts';
import { StoredHooks } from './stored-hooks.ts';
import type { TryToBuild } from './stored-hooks.ts';

/** Fields of a hook that change. */
type Change = Record<string, unknown>;

export interface HooksOptions {
  store: HookStore;
  clock: Clock;
  log: HookLog;
  /** The handlers that hooks can name. */
  kinds: KindSet;
  /** Checks what the schema cannot, given the hook as it was before. Throws HookInvalidError. */
  check: (hook: Hook, before?: Hook) => Promise<void>;
  /** See {@link TryToBuild}. */
  build: TryToBuild;
  /** Told about the new table before the change is answered; `id` is null when all may have changed. */
  changed: (table: HookTable, id: string | null) => Promise<void>;
}

/**
 * The hooks of the node: stored, and in memory for reading. Every change is stored first and then announced. Changes
 * come one after the other, so that none is based on a hook that another one has replaced.
 */
export class Hooks {
  readonly #store: HookStore;
  readonly #clock: Clock;
  readonly #stored: StoredHooks;
  readonly #kinds: KindSet;
  readonly #check: (hook: Hook, before?: Hook) => Promise<void>;
  readonly #build: TryToBuild;
  readonly #changed: (table: HookTable, id: string | null) => Promise<void>;
  #table = new HookTable([]);
  #loaded = false;
  #last: Promise<unknown> = Promise.resolve();

  constructor({ store, clock, log, kinds, check, build, changed }: HooksOptions) {
    this.#store = store;
    this.#stored = new StoredHooks({ store, kinds, build, log });
    this.#clock = clock;
    this.#kinds = kinds;
    this.#check = check;
    this.#build = build;
    this.#changed = changed;
  }

  get table(): HookTable {
    return this.#table;
  }

  /** Reads the hooks again; for the start, and when another process has changed them. */
  async reload(): Promise<void> {
    const hooks = sorted(await this.#stored.read());
    if (this.#loaded && JSON.stringify(hooks) === JSON.stringify(this.#table.all())) return;
    this.#loaded = true;
    this.#table = new HookTable(hooks);
    await this.#changed(this.#table, null);
  }

  get(id: string): Hook | undefined {
    return this.#table.get(id);
  }
  /** All hooks, in the order of their ids (as Kong pages). */
  list(): Hook[] {
    return this.#table.all();
  }

  /**
   * @param raw may hold an `id`
   * @throws HookInvalidError, HookExistsError, KongTsError STORE_FAILED
   */
  create(raw: unknown): Promise<Hook> {
    return this.#inTurn(() => {
      const now = this.#seconds();
      const id = givenId(raw) ?? randomUUID();
      if (this.get(id) !== undefined) throw new HookExistsError(id);
      return this.#save(compileHook(raw, this.#kinds), id, now, now);
    });
  }

  /** Replaces or creates. */
  put(id: string, raw: unknown): Promise<{ hook: Hook; created: boolean }> {
    return this.#inTurn(async () => {
      const now = this.#seconds();
      const known = this.get(id);
      const hook = await this.#save(compileHook(raw, this.#kinds), id, known?.created_at ?? now, now);
      return { hook, created: known === undefined };
    });
  }

  /** Changes the given fields, and merges records below `config` field by field. Null if the hook does not exist. */
  patch(id: string, change: Change | ((hook: Hook) => Change)): Promise<Hook | null> {
    return this.#inTurn(async () => {
      const known = this.get(id);
      if (known === undefined) return null;
      const raw = typeof change === 'function' ? change(known) : change;
      const merged: Record<string, unknown> = { ...known, ...raw };
      if (typeof raw.config === 'object' && raw.config !== null && !Array.isArray(raw.config)) {
        const sameHandler = raw.handler === undefined || raw.handler === known.handler;
        merged.config = { ...(sameHandler ? known.config : {}), ...raw.config };
      }
      return this.#save(compileHook(merged, this.#kinds), id, known.created_at, this.#seconds());
    });
  }

  /** Switches a hook off, with the reason shown, unless it has changed. */
  disable(hook: Hook, reason: string): Promise<void> {
    return this.#inTurn(async () => {
      const known = this.get(hook.id);
      if (known === undefined || JSON.stringify(known) !== JSON.stringify(hook)) return;
      const off: Hook = { ...known, enabled: false, disabled_reason: reason, updated_at: this.#seconds() };
      await this.#store.saveHook(off);
      await this.#replace(off);
    });
  }

  delete(id: string): Promise<void> {
    return this.#inTurn(async () => {
      await this.#store.deleteHook(id);
      if (this.get(id) === undefined) return;
      this.#table = new HookTable(this.#table.all().filter((hook) => hook.id !== id));
      await this.#changed(this.#table, id);
    });
  }

  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#last.then(change);
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #save(
    checked: Omit<Hook, 'id' | 'created_at' | 'updated_at'>,
    id: string,
    created_at: number,
    updated_at: number,
  ): Promise<Hook> {
    const hook = { ...checked, id, created_at, updated_at } as Hook;
    await this.#check(hook, this.get(id));
    // Builds the hook before it stores it. Otherwise each start would find a hook that cannot be built.
    try {
      this.#build(hook);
    } catch (error) {
      throw new HookInvalidError([{ path: 'config', text: messageOf(error) }]);
    }
    await this.#store.saveHook(hook);
    await this.#replace(hook);
    return hook;
  }

  async #replace(hook: Hook): Promise<void> {
    this.#table = new HookTable(sorted([...this.#table.all().filter((one) => one.id !== hook.id), hook]));
    await this.#changed(this.#table, hook.id);
  }

  #seconds(): number {
    return Math.floor(this.#clock.now() / 1000);
  }
}

/** @throws HookInvalidError if there is an id and it is not a UUID */
function givenId(raw: unknown): string | null {
  const id = (raw as { id?: unknown } | null)?.id;
  if (id === undefined || id === null) return null;
  const text = typeof id === 'string' ? id.toLowerCase() : '';
  if (!isUuid(text)) throw new HookInvalidError([{ path: 'id', text: 'expected a valid UUID' }]);
  return text;
}

function sorted(hooks: Hook[]): Hook[] {
  return hooks.sort((a, b) => (a.id < b.id ? -1 : 1));
}
