import { KongTsError, messageOf } from '../../base/errors.ts';
import { authorFrame } from '../../terminal/index.ts';
import type { CompiledPlugin, DumpDocument } from '../../plugin/index.ts';
import { dumpDocument, fingerprintOf } from '../../plugin/index.ts';
import type { LoadFailure, PluginSummary } from '../ipc/messages.ts';

export type LoadPlugin = (spec: string) => Promise<CompiledPlugin>;

/**
 * How long anybody waits for a plugin that loads, in milliseconds from the first load on. Kong gives an event up after 60 s,
 * which raises there; a setup takes up to 30 s after that. A plugin that loads later is there from then on.
 */
const defaultPatienceMs = 20_000;

/** The plugins of one worker. A caller that asks for one before it is loaded waits for it. */
export class PluginSet {
  readonly failures: LoadFailure[] = [];
  readonly #specs: readonly string[];
  readonly #load: LoadPlugin;
  readonly #plugins = new Map<string, CompiledPlugin>();
  readonly #waiting = new Map<string, (() => void)[]>();
  #settled = false;
  #logs = false;
  /** Nobody waits any longer, though plugins are still loading. */
  #late = false;

  readonly #patienceMs: number;

  constructor(specs: readonly string[], load: LoadPlugin, patienceMs = defaultPatienceMs) {
    this.#specs = specs;
    this.#load = load;
    this.#patienceMs = patienceMs;
  }

  get plugins(): readonly CompiledPlugin[] {
    return [...this.#plugins.values()];
  }

  /** Whether one of them has a log handler, or may have. */
  get readsInLog(): boolean {
    return this.#logs || !this.#settled;
  }

  /** Loads every plugin; one that fails does not keep the others. Never rejects. */
  async load(): Promise<void> {
    const timer = setTimeout(() => {
      this.#late = true;
      this.#wakeAll();
    }, this.#patienceMs);
    await Promise.all(this.#specs.map((spec) => this.#loadOne(spec)));
    clearTimeout(timer);
    this.#settled = true;
    this.#wakeAll();
  }

  /** The plugin, null when it is not loaded (yet). */
  get(name: string): CompiledPlugin | null {
    return this.#plugins.get(name) ?? null;
  }

  /**
   * The plugin, once it is loaded.
   * @throws KongTsError PLUGIN_LOAD_FAILED with the reason, also when it takes too long, PLUGIN_NOT_FOUND when no plugin has this name
   */
  async find(name: string): Promise<CompiledPlugin> {
    if (!this.#plugins.has(name) && !this.#settled && !this.#late) {
      await new Promise<void>((resolve) => {
        const waiting = this.#waiting.get(name) ?? [];
        waiting.push(resolve);
        this.#waiting.set(name, waiting);
      });
    }
    const plugin = this.#plugins.get(name);
    if (plugin !== undefined) return plugin;
    const [failure] = this.failures;
    if (failure !== undefined) {
      throw new KongTsError(
        'PLUGIN_LOAD_FAILED',
        `No plugin "${name}" is loaded, and "${failure.spec}" does not load: ${failure.message}`,
      );
    }
    if (!this.#settled) {
      const seconds = String(this.#patienceMs / 1000);
      throw new KongTsError(
        'PLUGIN_LOAD_FAILED',
        `No plugin "${name}" has loaded within ${seconds} seconds.`,
        {
          fix: 'Let plugins load quickly: do what takes long in setup, or in the first event.',
        },
      );
    }
    throw new KongTsError('PLUGIN_NOT_FOUND', `This server has no plugin "${name}".`, {
      fix: `It serves ${[...this.#plugins.keys()].join(', ')}.`,
    });
  }

  /** What Kong reads of each plugin. */
  documents(): DumpDocument[] {
    return this.plugins.map((plugin) => dumpDocument([plugin]));
  }

  summaries(): PluginSummary[] {
    return this.plugins.map((plugin) => {
      const { name, version, priority, protocol, phases } = plugin;
      const fingerprint = fingerprintOf(dumpDocument([plugin]));
      return { name, version, priority, protocol, phases: [...phases], fingerprint };
    });
  }

  #wakeAll(): void {
    for (const waiting of this.#waiting.values()) for (const wake of waiting) wake();
    this.#waiting.clear();
  }

  async #loadOne(spec: string): Promise<void> {
    try {
      const plugin = await this.#load(spec);
      if (this.#plugins.has(plugin.name)) {
        throw new KongTsError('PLUGIN_INVALID', `Two plugins have the name "${plugin.name}".`, {
          fix: 'Name each plugin once.',
        });
      }
      this.#plugins.set(plugin.name, plugin);
      this.#logs ||= plugin.phases.includes('log');
      for (const wake of this.#waiting.get(plugin.name) ?? []) wake();
      this.#waiting.delete(plugin.name);
    } catch (error) {
      this.failures.push({ spec, message: messageOf(error), ...stackIn(error) });
    }
  }
}

/** The stack of what was thrown while the plugin was loaded, if it leads to its code. */
function stackIn(error: unknown): { stack?: string } {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const stack = cause instanceof Error ? cause.stack : undefined;
  return stack === undefined || authorFrame(stack) === null ? {} : { stack };
}
