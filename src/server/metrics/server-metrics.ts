import { phases } from '../../pdk/names/index.ts';
import type { Beat } from '../ipc/messages.ts';
import type { StatsByPlugin } from './aggregate.ts';
import type { MetricJson, MetricValue } from './metric-json.ts';
import { histogramValues } from './metric-json.ts';
import type { PhaseStats } from './phase-stats.ts';
import { latencyBuckets } from './phase-stats.ts';

/** What the server's own metrics are made of. */
export interface ServerNumbers {
  stats: StatsByPlugin;
  workers: readonly { slot: number; beat: Beat | null }[];
  restarts: Readonly<Record<string, number>>;
  /** Connections that no worker has taken yet. */
  waitingConnections: number;
  instances: number;
  /** Ids that Kong has asked for and that nobody knows. */
  unknownInstances: number;
  /** How long nobody had listened when this server began to, in seconds; null when it is not known. */
  socketGap: number | null;
  pluginsFailed: number;
}

const counters = [
  ['kong_ts_events_total', 'Events that Kong sent.', (stats) => stats.events],
  ['kong_ts_event_errors_total', 'Events whose handler failed.', (stats) => stats.errors],
  [
    'kong_ts_event_timeouts_total',
    'Events whose handler ran into its time limit.',
    (stats) => stats.timeouts,
  ],
  ['kong_ts_event_exits_total', 'Events that the plugin ended the request in.', (stats) => stats.exits],
  ['kong_ts_pdk_calls_total', 'PDK calls that waited for an answer.', (stats) => stats.calls],
  ['kong_ts_pdk_sends_total', 'PDK calls that carried no answer.', (stats) => stats.sends],
  [
    'kong_ts_pdk_prefetched_total',
    'PDK calls that were made before the plugin asked.',
    (stats) => stats.prefetched,
  ],
  [
    'kong_ts_pdk_prefetch_used_total',
    'Prefetched PDK calls that the plugin asked for.',
    (stats) => stats.prefetchUsed,
  ],
  ['kong_ts_pdk_merged_total', "PDK calls that left in another call's frame.", (stats) => stats.merged],
] as const satisfies readonly (readonly [string, string, (stats: PhaseStats) => number])[];

/** The server's own metrics; series without an event are left out. */
export function serverMetrics(numbers: ServerNumbers): MetricJson[] {
  const series = Object.entries(numbers.stats).flatMap(([plugin, stats]) =>
    phases
      .filter((phase) => stats[phase].events > 0)
      .map((phase) => ({ labels: { plugin, phase }, stats: stats[phase] })),
  );
  const latency = 'kong_ts_event_duration_seconds';
  return [
    ...counters.map(([name, help, read]) =>
      metric(
        name,
        'counter',
        help,
        series.map(({ labels, stats }) => ({ labels, value: read(stats) })),
      ),
    ),
    metric(
      latency,
      'histogram',
      'Time from the arrival of an event to the end of its answer.',
      series.flatMap(({ labels, stats }) =>
        histogramValues(latency, labels, latencyBuckets, stats.buckets, stats.secondsSum),
      ),
    ),
    metric(
      'kong_ts_worker_restarts_total',
      'counter',
      'Workers that were started anew, by reason.',
      Object.entries(numbers.restarts).map(([reason, value]) => ({ labels: { reason }, value })),
    ),
    gauge('kong_ts_waiting_connections', 'Connections that no worker has taken yet.', [
      { labels: {}, value: numbers.waitingConnections },
    ]),
    gauge('kong_ts_instances', 'Instance ids that Kong holds.', [{ labels: {}, value: numbers.instances }]),
    metric(
      'kong_ts_unknown_instances_total',
      'counter',
      'Instance ids that Kong used and that nobody knows: it starts its instances of the plugin anew.',
      [{ labels: {}, value: numbers.unknownInstances }],
    ),
    gauge(
      'kong_ts_socket_gap_seconds',
      'How long nobody had listened when this server began to.',
      numbers.socketGap === null ? [] : [{ labels: {}, value: numbers.socketGap }],
    ),
    gauge('kong_ts_plugins_failed', 'Plugins that do not load.', [
      { labels: {}, value: numbers.pluginsFailed },
    ]),
    ...workerMetrics(numbers),
  ];
}

function workerMetrics(numbers: ServerNumbers): MetricJson[] {
  return [
    perWorker(
      numbers,
      'kong_ts_worker_connections',
      'Open connections from Kong.',
      (beat) => beat.connections,
    ),
    perWorker(
      numbers,
      'kong_ts_worker_unfinished_bytes',
      'What connections hold of messages that are not whole.',
      (beat) => beat.unfinished.bytes,
    ),
    perWorker(
      numbers,
      'kong_ts_worker_unfinished_closed_total',
      'Connections that were closed because all held too much of messages that are not whole.',
      (beat) => beat.unfinished.closed,
      'counter',
    ),
    perWorker(numbers, 'kong_ts_worker_resident_memory_bytes', 'Resident memory.', (beat) => beat.rss),
    perWorker(
      numbers,
      'kong_ts_worker_event_loop_delay_seconds',
      '99th percentile of the event loop delay in the last half second.',
      (beat) => beat.loopDelay,
    ),
  ];
}

function perWorker(
  numbers: ServerNumbers,
  name: string,
  help: string,
  read: (beat: Beat) => number,
  type: 'gauge' | 'counter' = 'gauge',
): MetricJson {
  const values = numbers.workers.flatMap(({ slot, beat }) =>
    beat === null ? [] : [{ labels: { worker: String(slot) }, value: read(beat) }],
  );
  return metric(name, type, help, values);
}

function gauge(name: string, help: string, values: MetricValue[]): MetricJson {
  return metric(name, 'gauge', help, values);
}

function metric(name: string, type: MetricJson['type'], help: string, values: MetricValue[]): MetricJson {
  return { name, help, type, aggregator: 'sum', values };
}
