import { z } from 'zod';
import type { PluginsAnswer } from './plugin-answers.ts';

/** What a server says of itself. Another version of the server may say less, and then nothing is shown of it. */
const ms = z.number().nonnegative();
const report = z.object({
  status: z.object({
    state: z.string(),
    pid: z.int(),
    startedAt: ms,
    plugins: z.array(
      z.object({
        name: z.string(),
        version: z.string(),
        priority: z.number(),
        protocol: z.string(),
        phases: z.array(z.string()),
      }),
    ),
    failures: z.array(z.object({ spec: z.string(), message: z.string(), stack: z.string().optional() })),
    workers: z.array(
      z.object({
        slot: z.int(),
        pid: z.int().nullable(),
        state: z.string(),
        startedAt: ms,
        connections: z.int(),
        rss: z.number().nullable(),
        loopDelay: z.number().nullable(),
        events: z.number(),
      }),
    ),
    restarts: z.record(z.string(), z.number()),
    waitingConnections: z.int(),
    instances: z.int(),
    unknownInstances: z.int(),
  }),
  everyMs: z.number().positive(),
  history: z.array(
    z.object({
      plugin: z.string(),
      phase: z.string(),
      points: z.array(
        z.object({
          at: ms,
          events: z.number(),
          errors: z.number(),
          timeouts: z.number(),
          calls: z.number(),
          p50: z.number().nullable(),
          p95: z.number().nullable(),
          p99: z.number().nullable(),
        }),
      ),
    }),
  ),
  failures: z.array(
    z.object({
      at: ms,
      plugin: z.string(),
      phase: z.string(),
      message: z.string(),
      stack: z.string().nullable(),
    }),
  ),
});

const toMs = (seconds: number | null): number | null =>
  seconds === null ? null : Math.round(seconds * 100_000) / 100;

/** The report as the Admin API shows it. @throws ZodError */
export function showReport(given: unknown): PluginsAnswer {
  const { status, everyMs, history, failures } = report.parse(given);
  return {
    server: {
      state: status.state,
      pid: status.pid,
      started_at: status.startedAt / 1000,
      plugins: status.plugins,
      failures: status.failures.map(({ spec, message, stack = null }) => ({ spec, message, stack })),
      workers: status.workers.map((worker) => ({
        slot: worker.slot,
        pid: worker.pid,
        state: worker.state,
        started_at: worker.startedAt / 1000,
        connections: worker.connections,
        rss_bytes: worker.rss,
        loop_delay_ms: toMs(worker.loopDelay),
        events: worker.events,
      })),
      restarts: status.restarts,
      waiting_connections: status.waitingConnections,
      instances: status.instances,
      unknown_instances: status.unknownInstances,
    },
    series: {
      every_seconds: everyMs / 1000,
      plugins: history.map(({ plugin, phase, points }) => ({
        plugin,
        phase,
        points: points.map((point) => ({
          at: point.at / 1000,
          events_per_second: (point.events * 1000) / everyMs,
          events: point.events,
          errors: point.errors,
          timeouts: point.timeouts,
          p50_ms: toMs(point.p50),
          p95_ms: toMs(point.p95),
          p99_ms: toMs(point.p99),
          calls_per_event: point.events === 0 ? null : point.calls / point.events,
        })),
      })),
    },
    errors: failures.map(({ at, ...rest }) => ({ at: at / 1000, ...rest })),
    reason: null,
  };
}
