import { messageOf } from '../../base/errors.ts';
import type { HookLog } from '../log.ts';
import { compileHook } from '../model/compile.ts';
import type { Hook } from '../model/hook.ts';
import type { HookStore } from '../store/types.ts';

/** Makes everything that a hook needs and lets go of it again; throws where that cannot be. */
export type TryToBuild = (hook: Hook) => void;

/**
 * Reads hooks from a store, whose rows may be older than today's rules, or damaged. A row that makes no hook is said
 * once, and shown as a hook that is switched off with the reason; the row itself stays as it is.
 */
export class StoredHooks {
  readonly #store: HookStore;
  readonly #build: TryToBuild;
  readonly #log: HookLog;
  /** What was made of a row's text, so that each text is looked at once. */
  #known = new Map<string, { text: string; hook: Hook }>();

  constructor(store: HookStore, build: TryToBuild, log: HookLog) {
    this.#store = store;
    this.#build = build;
    this.#log = log;
  }

  /** @throws KongTsError STORE_FAILED when the store cannot be read at all */
  async read(): Promise<Hook[]> {
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
    return [...known.values()].map(({ hook }) => hook);
  }

  #make(row: Hook): Hook {
    const raw = { ...row } as Record<string, unknown>;
    try {
      const hook = { ...raw, ...compileHook(raw), ...timesOf(raw) } as Hook;
      this.#build(hook);
      return hook;
    } catch (error) {
      return this.#off(row.id, raw, `built: ${messageOf(error)}`);
    }
  }

  /** What can be shown of the row, switched off. */
  #off(id: string, raw: Record<string, unknown>, why: string): Hook {
    const reason = `the stored hook cannot be ${why}`;
    this.#log.error('a stored hook is switched off', {
      hook: id,
      reason,
      fix: 'Mend it with PATCH or PUT, or DELETE it. The row was not changed.',
    });
    const { handler, config } = shownConfig(raw);
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

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** Handler and configuration where their shape is a webhook's; nothing else of a broken row is passed on. */
function shownConfig(raw: Record<string, unknown>): { handler: string; config: object } {
  const config = (typeof raw.config === 'object' && raw.config !== null ? raw.config : {}) as Record<
    string,
    unknown
  >;
  const url = text(config.url);
  if (raw.handler !== 'webhook' || url === undefined) return { handler: 'log', config: {} };
  const secret = text(config.secret) ?? null;
  return {
    handler: 'webhook',
    config: { url, headers: {}, secret, ssl_verify: config.ssl_verify !== false },
  };
}

function timesOf(raw: Record<string, unknown>): { created_at: number; updated_at: number } {
  const seconds = (value: unknown): number => (Number.isSafeInteger(value) ? (value as number) : 0);
  return { created_at: seconds(raw.created_at), updated_at: seconds(raw.updated_at) };
}
