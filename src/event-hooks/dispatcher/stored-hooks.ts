import { z } from 'zod';
import { messageOf } from '../../base/errors.ts';
import type { HookLog } from '../log.ts';
import { compileHook } from '../model/compile.ts';
import type { Hook } from '../model/hook.ts';
import type { KindSet } from '../model/kind-set.ts';
import type { HookStore } from '../store/types.ts';

/** Makes everything that a hook needs and lets go of it again. Throws if that is impossible. */
export type TryToBuild = (hook: Hook) => void;

export interface StoredHooksOptions {
  store: HookStore;
  /** The handlers that hooks can name. */
  kinds: KindSet;
  build: TryToBuild;
  log: HookLog;
}

/**
 * Reads hooks from a store, whose rows may be older than today's rules, or damaged. A row that makes no hook is said
 * once (the first of many, and how many more), and shown as a hook that is switched off with the reason; the row itself stays as it is.
 */
export class StoredHooks {
  readonly #store: HookStore;
  readonly #kinds: KindSet;
  readonly #build: TryToBuild;
  readonly #log: HookLog;
  /** Rows that make no hook, in this reading. */
  #unusable = 0;
  /** The result for each row's text, so that each text is looked at once. */
  #known = new Map<string, { text: string; hook: Hook }>();

  constructor({ store, kinds, build, log }: StoredHooksOptions) {
    this.#store = store;
    this.#kinds = kinds;
    this.#build = build;
    this.#log = log;
  }

  /** @throws KongTsError STORE_FAILED when the store cannot be read at all */
  async read(): Promise<Hook[]> {
    this.#unusable = 0;
    const known = new Map<string, { text: string; hook: Hook }>();
    const take = (id: string, text: string, make: () => Hook): void => {
      const before = this.#known.get(id);
      known.set(id, before?.text === text ? before : { text, hook: make() });
    };
    const rows = await this.#store.hooks((id, reason) => {
      take(id, reason, () => this.#off(id, {}, `read: ${reason}`));
    });
    for (const row of rows) take(row.id, JSON.stringify(row), () => this.#make(row));
    this.#known = known;
    if (this.#unusable > saidEach) this.#sayRest(this.#unusable - saidEach);
    return [...known.values()].map(({ hook }) => hook);
  }

  #make(row: Hook): Hook {
    const raw = { ...row } as Record<string, unknown>;
    try {
      const hook = { ...raw, ...compileHook(raw, this.#kinds), ...timesOf(raw) } as Hook;
      this.#build(hook);
      return hook;
    } catch (error) {
      return this.#off(row.id, raw, `built: ${messageOf(error)}`);
    }
  }

  #sayRest(hooks: number): void {
    this.#log.error('more stored hooks are switched off', {
      hooks,
      fix: 'Each has its reason as disabled_reason in GET /event-hooks.',
    });
  }

  /** What can be shown of the row, switched off. */
  #off(id: string, raw: Record<string, unknown>, why: string): Hook {
    const reason = `the stored hook cannot be ${why}`;
    this.#unusable += 1;
    if (this.#unusable <= saidEach) {
      this.#log.error('a stored hook is switched off', {
        hook: id,
        reason,
        fix: 'Mend it with PATCH or PUT, or DELETE it. The row was not changed.',
      });
    }
    const { handler, config } = shownConfig(raw, this.#kinds);
    return {
      source: typeof raw.source === 'string' && raw.source !== '' ? raw.source : 'unreadable',
      event: typeof raw.event === 'string' ? raw.event : null,
      on_change: null,
      snooze: null,
      handler,
      config,
      id,
      ...timesOf(raw),
      enabled: false,
      disabled_reason: reason,
    } as Hook;
  }
}

/** Rows that are said one by one, of those that make no hook: a file may hold any number of them. */
const saidEach = 10;

/** The handler, and those fields of its configuration that can be read. Nothing else of a broken row is passed on. */
function shownConfig(raw: Record<string, unknown>, kinds: KindSet): { handler: string; config: object } {
  const kind = kinds.get(raw.handler);
  const config = typeof raw.config === 'object' && raw.config !== null ? raw.config : {};
  const schemas: Readonly<Record<string, z.core.$ZodType>> = kind?.config.shape ?? {};
  const readable = Object.entries(config).filter(([field, value]) => {
    const schema = Object.hasOwn(schemas, field) ? schemas[field] : undefined;
    return schema !== undefined && z.safeParse(schema, value).success;
  });
  if (kind === null) return { handler: 'log', config: {} };
  return { handler: kind.name, config: Object.fromEntries(readable) };
}

function timesOf(raw: Record<string, unknown>): { created_at: number; updated_at: number } {
  const seconds = (value: unknown): number => (Number.isSafeInteger(value) ? (value as number) : 0);
  return { created_at: seconds(raw.created_at), updated_at: seconds(raw.updated_at) };
}
