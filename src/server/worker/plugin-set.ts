import { KongTsError, messageOf } from '../../errors.ts';
import { dumpDocument, fingerprintOf } from '../../plugin/dump.ts';
import type { CompiledPlugin } from '../../plugin/types.ts';
import type { LoadFailure, PluginSummary } from '../ipc/messages.ts';

export type LoadPlugin = (spec: string) => Promise<CompiledPlugin>;

/** The plugins of one worker. Whoever asks for one before it is loaded waits for it. */
export class PluginSet {
  readonly failures: LoadFailure[] = [];
  readonly #specs: readonly string[];
  readonly #load: LoadPlugin;
  readonly #plugins = new Map<string, CompiledPlugin>();
  readonly #waiting = new Map<string, (() => void)[]>();
  #settled = false;

  constructor(specs: readonly string[], load: LoadPlugin) {
    this.#specs = specs;
    this.#load = load;
  }

  get plugins(): readonly CompiledPlugin[] {
    return [...this.#plugins.values()];
  }

  /** Loads every plugin; one that fails does not keep the others. Never rejects. */
  async load(): Promise<void> {
    await Promise.all(this.#specs.map((spec) => this.#loadOne(spec)));
    this.#settled = true;
    for (const waiting of this.#waiting.values()) for (const wake of waiting) wake();
    this.#waiting.clear();
  }

  /** The plugin, null when it is not loaded (yet). */
  get(name: string): CompiledPlugin | null {
    return this.#plugins.get(name) ?? null;
  }

  /**
   * The plugin, once it is loaded.
   * @throws KongTsError PLUGIN_LOAD_FAILED with the reason, PLUGIN_NOT_FOUND when no plugin has this name
   */
  async find(name: string): Promise<CompiledPlugin> {
    if (!this.#plugins.has(name) && !this.#settled) {
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
    throw new KongTsError('PLUGIN_NOT_FOUND', `This server has no plugin "${name}".`, {
      fix: `It serves ${[...this.#plugins.keys()].join(', ')}.`,
    });
  }

  summaries(): PluginSummary[] {
    return this.plugins.map((plugin) => {
      const { name, version, priority, protocol, phases } = plugin;
      const fingerprint = fingerprintOf(dumpDocument([plugin]));
      return { name, version, priority, protocol, phases: [...phases], fingerprint };
    });
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
      for (const wake of this.#waiting.get(plugin.name) ?? []) wake();
      this.#waiting.delete(plugin.name);
    } catch (error) {
      this.failures.push({ spec, message: messageOf(error) });
    }
  }
}
