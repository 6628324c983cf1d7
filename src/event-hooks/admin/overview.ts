import { messageOf } from '../../base/errors.ts';
import { packageVersion } from '../../base/package.ts';
import { answer, ref } from './endpoint.ts';
import type { Api, Endpoint } from './endpoint.ts';
import type { PluginsAnswer, StoreAnswer } from './plugin-answers.ts';
import { showReport } from './plugin-report.ts';

/** What runs here: the plugin server, the store, who delivers. */
export const overviewEndpoints: readonly Endpoint[] = [
  {
    method: 'GET',
    path: '/event-hooks/plugins',
    summary: 'The plugin server that has started this dispatcher, its last hour and its last errors',
    answers: { 200: answer('The server, or why there is none.', ref('Plugins')) },
    handle: plugins,
  },
  {
    method: 'GET',
    path: '/event-hooks/store',
    summary: 'The store, who delivers, and how far behind that is',
    answers: { 200: answer('The store.', ref('Store')) },
    handle: store,
  },
];

async function plugins({ server }: Api): Promise<PluginsAnswer> {
  const none = { server: null, series: null, errors: [] };
  if (server === null)
    return {
      ...none,
      reason: 'This dispatcher was started by itself, and not by a plugin server (kong-ts serve).',
    };
  try {
    return showReport(await server.read());
  } catch (error) {
    return { ...none, reason: `The plugin server does not answer: ${messageOf(error)}` };
  }
}

async function store({ dispatcher, watcher }: Api): Promise<StoreAnswer> {
  const { store, outbox, engine, backlog, options } = dispatcher;
  const now = options.clock.now();
  const [size, holder] = await Promise.allSettled([store.size(), store.leaseHolder()]);
  const isActive = engine.active;
  const oldest = engine.oldestQueuedAt();
  const held = holder.status === 'fulfilled' ? holder.value : null;
  return {
    kind: store.kind,
    durable: store.durable,
    healthy: outbox.healthy,
    version: packageVersion(),
    folder: store.folder,
    size_bytes: size.status === 'fulfilled' ? size.value : null,
    size_reason:
      size.status === 'rejected'
        ? messageOf(size.reason)
        : size.value === null
          ? 'The store cannot say it.'
          : null,
    delivering: isActive,
    lease: {
      owner: held?.owner ?? null,
      epoch: held?.epoch ?? null,
      until: held === null ? null : held.until / 1000,
      mine: isActive,
      reason:
        holder.status === 'rejected' ? messageOf(holder.reason) : held === null ? 'Nobody delivers.' : null,
    },
    unfinished: Math.max(0, backlog.total),
    lag_seconds: isActive ? (oldest === null ? 0 : Math.max(0, now - oldest) / 1000) : null,
    lag_reason: isActive ? null : 'Another process delivers, and knows it.',
    watcher:
      watcher === null
        ? { watching: false, kong: null, reason: 'No Kong is watched: start with --kong-admin.' }
        : {
            ...watcher.status(),
            reason: watcher.status().watching ? null : 'The process that delivers watches.',
          },
    retention: { age_seconds: options.recordAgeMs / 1000, events: options.recordCount },
    nodes: null,
    nodes_reason: 'A fleet has nodes; this store is of one machine.',
  };
}
