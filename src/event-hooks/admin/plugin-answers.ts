import { z } from 'zod';

/** What the Admin API says of the plugin server that has started this dispatcher. */
const at = z.number().describe('Seconds since the epoch.');
const percentile = z.number().nullable().describe('null: nothing ended in that time.');

const server = z.strictObject({
  state: z.string(),
  pid: z.int(),
  started_at: at,
  plugins: z.array(
    z.strictObject({
      name: z.string(),
      version: z.string(),
      priority: z.number(),
      protocol: z.string(),
      phases: z.array(z.string()),
    }),
  ),
  failures: z
    .array(z.strictObject({ spec: z.string(), message: z.string(), stack: z.string().nullable() }))
    .describe('Plugins that do not load.'),
  workers: z.array(
    z.strictObject({
      slot: z.int(),
      pid: z.int().nullable(),
      state: z.string(),
      started_at: at,
      connections: z.int(),
      rss_bytes: z.number().nullable(),
      loop_delay_ms: z.number().nullable().describe('99th percentile of the last half second.'),
      events: z.number(),
    }),
  ),
  restarts: z.record(z.string(), z.number()).describe('Workers that were started anew, by reason.'),
  waiting_connections: z.int(),
  instances: z.int(),
  unknown_instances: z.int(),
});

const point = z.strictObject({
  at: at.describe('The end of the time, in seconds since the epoch.'),
  events_per_second: z.number(),
  events: z.number(),
  errors: z.number(),
  timeouts: z.number(),
  p50_ms: percentile,
  p95_ms: percentile,
  p99_ms: percentile,
  calls_per_event: z.number().nullable(),
});

export const plugins = z.strictObject({
  server: server.nullable().describe('null: there is none, for the reason beside it.'),
  series: z
    .strictObject({
      every_seconds: z.number(),
      plugins: z.array(
        z.strictObject({
          plugin: z.string(),
          phase: z.string(),
          points: z
            .array(point)
            .describe('The last hour, oldest first. Times without an event have no point.'),
        }),
      ),
    })
    .nullable(),
  errors: z
    .array(
      z.strictObject({
        at,
        plugin: z.string(),
        phase: z.string(),
        message: z.string(),
        stack: z.string().nullable(),
      }),
    )
    .describe('The last failures of handlers, youngest first.'),
  reason: z.string().nullable(),
});
export type PluginsAnswer = z.infer<typeof plugins>;

const counted = z.int().nullable();
export const storeState = z.strictObject({
  kind: z.string(),
  durable: z.boolean(),
  healthy: z.boolean().describe('Whether the last write succeeded.'),
  version: z.string().describe('Of kong-ts.'),
  folder: z.string().nullable().describe('Where its files are; null: it has none here.'),
  size_bytes: z.number().nullable(),
  size_reason: z.string().nullable(),
  delivering: z.boolean().describe('Whether this process delivers.'),
  lease: z.strictObject({
    owner: z.string().nullable().describe('Who delivers; null: nobody, or it is not known.'),
    epoch: z.int().nullable(),
    until: z.number().nullable().describe('Seconds since the epoch.'),
    mine: z.boolean(),
    reason: z.string().nullable(),
  }),
  unfinished: counted.describe('Deliveries that are pending or wait for an attempt.'),
  lag_seconds: z.number().nullable().describe('How long the oldest delivery that is due has waited.'),
  lag_reason: z.string().nullable(),
  watcher: z.strictObject({
    watching: z.boolean(),
    kong: z.string().nullable().describe('The Admin API that is watched, without a login.'),
    reason: z.string().nullable(),
  }),
  retention: z.strictObject({ age_seconds: z.number(), events: z.number() }),
  nodes: z.null(),
  nodes_reason: z.string(),
});
export type StoreAnswer = z.infer<typeof storeState>;
