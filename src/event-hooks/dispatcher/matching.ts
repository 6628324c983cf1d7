import type { InterestList } from '../client/interest.ts';
import type { Hook } from '../model/hook.ts';
import { compileFilter } from './filter.ts';
import type { CompiledFilter } from './filter.ts';

/** A hook's `on_change` and `snooze`. */
export interface SuppressionRule {
  onChange: boolean;
  snoozeMs: number;
}

/** A hook ready to be matched. */
export interface CompiledHook {
  hook: Hook;
  filter: CompiledFilter | null;
  suppression: SuppressionRule | null;
}

/** The enabled hooks by source; replaced as a whole whenever a hook changes. */
export class HookTable {
  readonly #hooks: ReadonlyMap<string, Hook>;
  readonly #bySource = new Map<string, CompiledHook[]>();

  constructor(hooks: Iterable<Hook>) {
    this.#hooks = new Map([...hooks].map((hook) => [hook.id, hook]));
    for (const hook of this.#hooks.values()) {
      if (hook.enabled === false) continue;
      const compiled = compile(hook);
      const same = this.#bySource.get(hook.source);
      if (same === undefined) this.#bySource.set(hook.source, [compiled]);
      else same.push(compiled);
    }
  }

  get(id: string): Hook | undefined {
    return this.#hooks.get(id);
  }
  all(): Hook[] {
    return [...this.#hooks.values()];
  }
  /** Hooks that name the source. `firedName` decides whether they want the event. */
  ofSource(source: string): readonly CompiledHook[] {
    return this.#bySource.get(source) ?? [];
  }
  interest(): InterestList {
    const seen = new Map<string, readonly [string, string | null]>();
    for (const hooks of this.#bySource.values()) {
      for (const { hook } of hooks)
        seen.set(`${hook.source}\0${hook.event ?? ''}`, [hook.source, hook.event]);
    }
    return [...seen.values()];
  }
}

function compile(hook: Hook): CompiledHook {
  const snoozeMs = (hook.snooze ?? 0) * 1000;
  const onChange = hook.on_change === true;
  return {
    hook,
    filter: compileFilter(hook.filter),
    suppression: onChange || snoozeMs > 0 ? { onChange, snoozeMs } : null,
  };
}
