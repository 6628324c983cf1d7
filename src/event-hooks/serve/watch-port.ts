import type { WatchPort } from '../../kong-watch/index.ts';
import { Interest } from '../client/interest.ts';
import type { Dispatcher } from '../dispatcher/dispatcher.ts';
import { leader } from '../dispatcher/maintenance.ts';

/** A dispatcher as a watched Kong sees it: its events go through the intake, and of all processes on a store one watches. */
export function watchPort(dispatcher: Dispatcher): WatchPort {
  const { clock, log } = dispatcher.options;
  return {
    clock,
    log,
    registry: dispatcher.metrics.registry,
    dataDir: dispatcher.store.folder,
    isActive: () => dispatcher.engine.epochOf(leader) !== null,
    publish: (source) => {
      dispatcher.publish(source);
    },
    accept: (events) => dispatcher.accept(events),
    onInterest: (told) =>
      dispatcher.feed.watchInterest((list) => {
        const interest = new Interest(list);
        const sources = new Set(list.map(([source]) => source));
        return told({
          wants: (source, event) => interest.wants(source, event),
          listens: (source) => sources.has(source),
        });
      }),
  };
}
