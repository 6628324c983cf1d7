import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { compileHook } from '../model/compile.ts';
import type { Hook } from '../model/hook.ts';
import type { HookStore } from '../store/types.ts';
import { HookTable } from './matching.ts';

/** Checks that need more than the schema: templates and Lua that do not parse. Throws HookInvalidError. */
export type DeepCheck = (hook: Hook) => Promise<void> | void;

/**
 * The hooks of the node: stored, and in memory for reading. Every change is stored first, then announced.
 */
export class Hooks {
  readonly #store: HookStore;
  readonly #clock: Clock;
  readonly #check: DeepCheck;
  readonly #changed: (table: HookTable, id: string | null) => Promise<void>;
  #table = new HookTable([]);
  #loaded = false;

  /** @param changed told about the new table before the change is answered; `id` is null when all may have changed */
  constructor(
    store: HookStore,
    clock: Clock,
    check: DeepCheck,
    changed: (table: HookTable, id: string | null) => Promise<void>,
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#check = check;
    this.#changed = changed;
  }

  get table(): HookTable {
    return this.#table;
  }

  /** Reads the hooks again; for the start, and when another process has changed them. */
  async reload(): Promise<void> {
    const hooks = sorted(await this.#store.hooks());
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

  /** @throws HookInvalidError, KongTsError STORE_FAILED */
  async create(raw: unknown, id: string = randomUUID()): Promise<Hook> {
    const now = this.#seconds();
    return this.#save(compileHook(raw), id, now, now);
  }

  /** Replaces or creates. */
  async put(id: string, raw: unknown): Promise<Hook> {
    const now = this.#seconds();
    return this.#save(compileHook(raw), id, this.get(id)?.created_at ?? now, now);
  }

  /** Changes the given fields; records below `config` are merged field by field. null when there is no such hook. */
  async patch(id: string, raw: unknown): Promise<Hook | null> {
    const known = this.get(id);
    if (known === undefined) return null;
    const change = typeof raw === 'object' && raw !== null ? (raw as Record<string, unknown>) : {};
    const merged: Record<string, unknown> = { ...known, ...change };
    if (typeof change.config === 'object' && change.config !== null && !Array.isArray(change.config)) {
      const sameHandler = change.handler === undefined || change.handler === known.handler;
      merged.config = { ...(sameHandler ? known.config : {}), ...change.config };
    }
    return this.#save(compileHook(merged), id, known.created_at, this.#seconds());
  }

  /** Switches a hook off, with the reason shown. */
  async disable(id: string, reason: string): Promise<void> {
    const known = this.get(id);
    if (known === undefined) return;
    const hook: Hook = { ...known, enabled: false, disabled_reason: reason, updated_at: this.#seconds() };
    await this.#store.saveHook(hook);
    await this.#replace(hook);
  }

  async delete(id: string): Promise<void> {
    await this.#store.deleteHook(id);
    if (this.get(id) === undefined) return;
    this.#table = new HookTable(this.#table.all().filter((hook) => hook.id !== id));
    await this.#changed(this.#table, id);
  }

  async #save(
    checked: Omit<Hook, 'id' | 'created_at' | 'updated_at'>,
    id: string,
    created_at: number,
    updated_at: number,
  ): Promise<Hook> {
    const hook = { ...checked, id, created_at, updated_at } as Hook;
    await this.#check(hook);
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

function sorted(hooks: Hook[]): Hook[] {
  return hooks.sort((a, b) => (a.id < b.id ? -1 : 1));
}
