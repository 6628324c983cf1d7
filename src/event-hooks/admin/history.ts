import { hourMs, hourOf } from '../store/hours.ts';
import { percentile } from '../store/latency.ts';
import type { HourOfHook } from '../store/types.ts';
import { messageOf } from '../../base/errors.ts';
import { HookInvalidError } from '../model/errors.ts';
import type { Hook } from '../model/hook.ts';
import type { HistoryAnswer, HookHistoryAnswer } from './answers.ts';
import { answer, invalid, missing, query, ref } from './endpoint.ts';
import type { Api, Endpoint } from './endpoint.ts';

const mostHours = 168;

/** What became of hooks' attempts, hour by hour, and what they have left. */
export const historyEndpoints: readonly Endpoint[] = [
  {
    method: 'GET',
    path: '/event-hooks/history',
    summary: 'Attempts of each hook by the hour, with latencies, and what waits or was given up',
    query: [
      query(
        'hours',
        `How many hours, the present one included: 1 to ${String(mostHours)} (default 24).`,
        'integer',
      ),
      query('hook', 'Of this hook only.'),
    ],
    answers: {
      200: answer('Every hook, in the order of their ids.', ref('History')),
      ...missing,
      ...invalid,
    },
    handle: (api, request, reply) => {
      const hours = readHours(request.query.hours);
      const hook = typeof request.query.hook === 'string' ? request.query.hook : undefined;
      const hooks = api.dispatcher.hooks
        .list()
        .filter(({ id }) => hook === undefined || id === hook.toLowerCase() || id === hook);
      if (hook !== undefined && hooks.length === 0) return reply.code(404).send({ message: 'Not found' });
      return history(api, hooks, hours);
    },
  },
];

function readHours(value: unknown): number {
  const hours = value === undefined ? 24 : Number(value);
  if (Number.isInteger(hours) && hours >= 1 && hours <= mostHours) return hours;
  throw new HookInvalidError([{ path: 'hours', text: `expected an integer from 1 to ${String(mostHours)}` }]);
}

async function history({ dispatcher }: Api, hooks: readonly Hook[], hours: number): Promise<HistoryAnswer> {
  const { store, outbox, backlog, options } = dispatcher;
  const now = options.clock.now();
  const from = hourOf(now) - (hours - 1) * hourMs;
  await outbox.flush();
  const [past, counts] = await Promise.allSettled([store.history(from), store.waitingAndDead()]);
  const failed = [past, counts].find((one) => one.status === 'rejected');
  const reason = failed === undefined ? null : messageOf(failed.reason);
  const byHook = past.status === 'rejected' ? null : Map.groupBy(past.value.hours, ({ hookId }) => hookId);
  const data = hooks.map(({ id }): HookHistoryAnswer => {
    const { waiting = null, dead = null } =
      counts.status === 'rejected' ? {} : (counts.value.get(id) ?? { waiting: 0, dead: 0 });
    const pending = waiting === null ? null : Math.max(0, backlog.of(id) - waiting);
    const sums = byHook === null ? unknown : sumsOf(byHook.get(id) ?? []);
    return { event_hook: { id }, pending, waiting, dead, ...sums, reason };
  });
  const since = past.status === 'rejected' ? null : past.value.since / 1000;
  return { from: from / 1000, to: now / 1000, hour_seconds: hourMs / 1000, counted_since: since, data };
}

const unknown = { delivered: null, failed: null, gave_up: null, p50_ms: null, p95_ms: null, hours: [] };

function sumsOf(rows: readonly HourOfHook[]) {
  const all = new Map<number, number>();
  for (const { latencies } of rows)
    for (const [bucket, count] of latencies) all.set(bucket, (all.get(bucket) ?? 0) + count);
  const sum = (what: 'delivered' | 'failed' | 'dead'): number =>
    rows.reduce((all, row) => all + row[what], 0);
  return {
    delivered: sum('delivered'),
    failed: sum('failed'),
    gave_up: sum('dead'),
    ...percentilesOf(all),
    hours: rows.map((row) => ({
      at: row.hour / 1000,
      delivered: row.delivered,
      failed: row.failed,
      gave_up: row.dead,
      ...percentilesOf(row.latencies),
    })),
  };
}

const percentilesOf = (latencies: ReadonlyMap<number, number>) => ({
  p50_ms: percentile(latencies, 0.5),
  p95_ms: percentile(latencies, 0.95),
});
