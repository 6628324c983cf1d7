import type { ContextValues } from '../../pdk/index.ts';
import type { CompiledPlugin } from '../../plugin/index.ts';
import type { ServerLog } from '../log/types.ts';

/** How many names are remembered. Beyond them, no warnings come. */
const mostNames = 1000;

/** The names of values that plugins of a worker set in requests' contexts, and miss in their log phase. */
export class ContextNames {
  readonly #set = new Set<string>();
  readonly #missed = new Set<string>();
  readonly #keeps: () => boolean;
  readonly #log: Pick<ServerLog, 'warn'>;

  /** @param keeps whether a plugin has a log handler, so that what is set may be asked for there */
  constructor(keeps: () => boolean, log: Pick<ServerLog, 'warn'>) {
    this.#keeps = keeps;
    this.#log = log;
  }

  /** What one configuration of a plugin knows of the values. */
  of(plugin: CompiledPlugin): ContextValues {
    return {
      vouched: new Set(plugin.readsInLog),
      unanswered: new Set(),
      keep: (key) => {
        if (this.#set.size < mostNames) this.#set.add(key);
        return this.#keeps();
      },
      missed: (path, key) => this.#warn(plugin.name, path, key),
    };
  }

  /** Once for each plugin and name: what others have left is not asked for, and its author may not know. */
  #warn(plugin: string, path: string, key: string): void {
    if (this.#set.has(key) || this.#missed.size >= mostNames) return;
    const place = `${plugin} ${path} ${key}`;
    if (this.#missed.has(place)) return;
    this.#missed.add(place);
    this.#log.warn(
      `${plugin}, log: ${path}("${key}") is null, because no plugin of this server has set it. What Lua plugins or other servers have left is not asked for in the log phase: Kong may be unable to send it.`,
      {
        plugin,
        phase: 'log',
        fix: `If it is always text, a number or a plain table, add "${key}" to readsInLog.`,
      },
    );
  }
}
