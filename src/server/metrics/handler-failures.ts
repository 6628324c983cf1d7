import type { ServerLog } from '../log/types.ts';

/** A handler that has failed. */
export interface HandlerFailure {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly plugin: string;
  readonly phase: string;
  readonly message: string;
  readonly stack: string | null;
}

/** How many failures a worker remembers, and how much of each text, in UTF-16 units. */
const kept = 20;
const longestMessage = 1024;
const longestStack = 4096;

/** Remembers the last failures of handlers as they are written to the log. */
export class HandlerFailures {
  #list: readonly HandlerFailure[] = [];

  /** The youngest last. */
  get list(): readonly HandlerFailure[] {
    return this.#list;
  }

  /** The same log; what it says of a handler is remembered. */
  listenTo(log: ServerLog): ServerLog {
    return {
      ...log,
      child: (fields) => this.listenTo(log.child(fields)),
      enabled: (level) => log.enabled(level),
      error: (message, fields = {}) => {
        const { plugin, phase, stack } = fields;
        if (typeof plugin === 'string' && typeof phase === 'string') {
          const one: HandlerFailure = {
            at: Date.now(),
            plugin,
            phase,
            message: message.slice(0, longestMessage),
            stack: typeof stack === 'string' ? stack.slice(0, longestStack) : null,
          };
          this.#list = [...this.#list.slice(1 - kept), one];
        }
        log.error(message, fields);
      },
    };
  }
}

/** The youngest of several lists, youngest first. */
export const youngestOf = (lists: readonly (readonly HandlerFailure[])[]): HandlerFailure[] =>
  lists
    .flat()
    .sort((a, b) => b.at - a.at)
    .slice(0, kept);
