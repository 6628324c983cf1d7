import type { CompiledPlugin, PhaseHandler, PluginHandlers } from '../../plugin/index.ts';
import { ExitSignal } from '../../pdk/index.ts';
import type { Phase, Protocol } from '../../pdk/names/index.ts';
import { phases as allPhases } from '../../pdk/names/index.ts';

/** Sees what handlers throw and when they end, without changing what they do. */
export class HandlerWatch {
  #running = 0;
  #thrown: { readonly value: unknown } | null = null;

  /** Forgets what was thrown so far. */
  start(): void {
    this.#thrown = null;
  }

  /** What a handler threw since, null when none did. */
  get thrown(): { readonly value: unknown } | null {
    return this.#thrown;
  }

  /** Waits until handlers have ended; a few turns only, since one that waits for Kong may never end. */
  async settled(): Promise<void> {
    for (let turns = 0; turns < 10 && this.#running > 0; turns++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  wrap(handler: PhaseHandler): PhaseHandler {
    return (kong, config) => {
      let result: unknown;
      try {
        result = handler(kong, config);
      } catch (thrown) {
        this.#note(thrown);
        throw thrown;
      }
      if (result instanceof Promise) {
        this.#running++;
        result.then(
          () => this.#running--,
          (thrown: unknown) => {
            this.#running--;
            this.#note(thrown);
          },
        );
      }
      return result;
    };
  }

  #note(thrown: unknown): void {
    if (!(thrown instanceof ExitSignal)) this.#thrown ??= { value: thrown };
  }
}

/** What a test changes about a plugin. */
export interface PluginChanges {
  readonly protocol?: Protocol;
  /** Milliseconds. */
  readonly phaseTimeout?: number;
}

/** The same plugin with its handlers watched. */
export function watchedPlugin(
  plugin: CompiledPlugin,
  changes: PluginChanges,
  watch: HandlerWatch,
): CompiledPlugin {
  return {
    ...plugin,
    protocol: changes.protocol ?? plugin.protocol,
    phaseTimeout: changes.phaseTimeout ?? plugin.phaseTimeout,
    parseConfig: (raw) => plugin.parseConfig(raw),
    setup: async (context) => {
      const handlers = await plugin.setup(context);
      return { ...handlers, phases: watchedHandlers(handlers, watch) };
    },
  };
}

function watchedHandlers(handlers: PluginHandlers, watch: HandlerWatch): PluginHandlers['phases'] {
  const watched: Partial<Record<Phase, PhaseHandler>> = {};
  for (const phase of allPhases) {
    const handler = handlers.phases[phase];
    if (handler !== undefined) watched[phase] = watch.wrap(handler);
  }
  return watched;
}
