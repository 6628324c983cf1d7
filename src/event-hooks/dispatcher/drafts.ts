import { setImmediate as nextTurn } from 'node:timers/promises';
import { messageOf } from '../../base/errors.ts';
import type { Handlers } from '../handlers/handlers.ts';
import { deliveryId } from '../handlers/types.ts';
import type { Composed, TestResult } from '../handlers/types.ts';
import type { HandlerKind } from '../handlers/kind.ts';
import { compileHook } from '../model/compile.ts';
import { HookInvalidError } from '../model/errors.ts';
import type { Violation } from '../model/errors.ts';
import { newEventId } from '../model/event.ts';
import { firedName } from '../model/hook.ts';
import type { Hook } from '../model/hook.ts';
import type { KindSet } from '../model/kind-set.ts';
import { parseExactFields, withoutNulls } from '../model/payload.ts';
import type { HookStore, PastEvent } from '../store/types.ts';
import { compileFilter } from './filter.ts';

/** The id of a hook that is not stored. */
const draftId = '00000000-0000-4000-8000-000000000000';
/** Payload characters that are read for one question. */
const mostPayloads = 16 * 1024 * 1024;
/** How long they may keep this process from other work at a time, in milliseconds. */
const atOnceMs = 10;

/** A stored event, and whether a draft would have fired. */
export interface Judged {
  readonly event: PastEvent;
  readonly fires: boolean;
}

/** Looks at hooks before they are saved. Nothing is stored. */
export class Drafts {
  readonly #kinds: KindSet<HandlerKind>;
  readonly #handlers: Handlers;
  readonly #store: Pick<HookStore, 'recentEvents'>;

  constructor(kinds: KindSet<HandlerKind>, handlers: Handlers, store: Pick<HookStore, 'recentEvents'>) {
    this.#kinds = kinds;
    this.#handlers = handlers;
    this.#store = store;
  }

  /**
   * Everything that is wrong. What can be looked at by itself (Lua, templates, addresses) is, also while other fields are
   * missing.
   * @param before the hook that is being edited
   */
  async check(raw: Record<string, unknown>, before?: Hook): Promise<readonly Violation[]> {
    try {
      await this.#hook(raw, before);
      return [];
    } catch (error) {
      if (!(error instanceof HookInvalidError)) throw error;
      const known = new Set(error.violations.map(({ path }) => path));
      const more = (await this.#ofConfig(raw)).filter(({ path }) => !known.has(path));
      return [...error.violations, ...more];
    }
  }

  /**
   * The latest events of the draft's source, and which of them would have fired it. `on_change` and `snooze` do not count:
   * they depend on what else has fired.
   * @param last how many events
   * @throws HookInvalidError
   */
  async match(raw: Record<string, unknown>, last: number): Promise<Judged[]> {
    const { source, event, filter } = raw;
    const hook = compileHook({ source, event, filter, handler: 'log' }, this.#kinds);
    const test = compileFilter(hook.filter);
    const isExact = hook.event !== null && hook.source !== 'crud';
    const events = await this.#store.recentEvents({
      source: hook.source,
      size: last,
      mostSize: mostPayloads,
      ...(isExact && hook.event !== null ? { event: hook.event } : {}),
    });
    const judged: Judged[] = [];
    let begun = performance.now();
    for (const past of events) {
      if (performance.now() - begun >= atOnceMs) {
        await nextTurn();
        begun = performance.now();
      }
      const fields = parseExactFields(past.payload);
      const name = fields === null ? null : firedName(hook, past.event, fields.operation);
      if (fields === null || name === null) continue;
      const fires = test === null || test({ ...fields, source: past.source, event: name });
      judged.push({ event: past, fires });
    }
    return judged;
  }

  /**
   * The request that the draft would send; null where its handler sends none.
   * @throws HookInvalidError, or KongTsError TEMPLATE_INVALID
   */
  async render(
    raw: Record<string, unknown>,
    payload: (hook: Hook) => Record<string, unknown>,
  ): Promise<(Composed & { url: string }) | null> {
    const hook = await this.#hook(raw);
    const kind = this.#kinds.get(hook.handler);
    return kind?.request?.(hook, JSON.stringify(withoutNulls(payload(hook)))) ?? null;
  }

  /** Runs the draft's handler now. @throws HookInvalidError */
  async test(
    raw: Record<string, unknown>,
    payload: (hook: Hook) => Record<string, unknown>,
  ): Promise<{ data: Record<string, unknown>; result: TestResult }> {
    const hook = await this.#hook(raw);
    const data = payload(hook);
    const handler = this.#handlers.create(hook);
    try {
      const sent = withoutNulls(data) as Record<string, unknown>;
      return { data, result: await handler.test(sent, deliveryId(hook.id, newEventId())) };
    } finally {
      void handler.close();
    }
  }

  /** @throws HookInvalidError */
  async #hook(raw: Record<string, unknown>, before?: Hook): Promise<Hook> {
    const compiled = compileHook(raw, this.#kinds);
    const hook = { ...compiled, id: before?.id ?? draftId, created_at: 0, updated_at: 0 } as Hook;
    await this.#handlers.check(hook, before);
    try {
      void this.#handlers.create(hook).close();
    } catch (error) {
      throw new HookInvalidError([{ path: 'config', text: messageOf(error) }]);
    }
    return hook;
  }

  async #ofConfig({ handler, config }: Record<string, unknown>): Promise<readonly Violation[]> {
    const kind = this.#kinds.get(handler);
    const parsed = kind?.config.safeParse(config ?? {});
    return kind === null || parsed?.success !== true ? [] : await kind.check(parsed.data);
  }
}
