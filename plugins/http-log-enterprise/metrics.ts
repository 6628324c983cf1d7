import type { PluginMetrics } from 'kong-ts';
import type { DropReason } from './queue/queue.ts';

/** What one configuration counts; the same numbers as its metrics, for tests and reports. */
export interface Counts {
  received: number;
  unreceived: number;
  filtered: number;
  sent: number;
  retried: number;
  dropped: number;
  spooled: number;
  recovered: number;
  unspooled: number;
  bytes: number;
}

export interface Recorder {
  readonly counts: Counts;
  received(): void;
  /** Log events without a record: Kong has given up, or answered with an error. */
  unreceived(records: number): void;
  filtered(): void;
  sent(records: number): void;
  retried(records: number): void;
  dropped(records: number, reason: DropReason): void;
  spooled(records: number): void;
  recovered(records: number): void;
  /** Records that the disk refused: they are in memory only. */
  unspooled(records: number): void;
  bytes(count: number): void;
  latency(seconds: number): void;
}

/** What is asked when metrics are read. */
export interface Levels {
  readonly queueLength: () => number;
  readonly queueBytes: () => number;
  readonly spoolBytes: () => number;
}

/** Registers the metrics of one configuration. */
export function createRecorder(metrics: PluginMetrics, levels: Levels): Recorder {
  const counts: Counts = {
    received: 0,
    unreceived: 0,
    filtered: 0,
    sent: 0,
    retried: 0,
    dropped: 0,
    spooled: 0,
    recovered: 0,
    unspooled: 0,
    bytes: 0,
  };
  const counter = (name: string, help: string, labels?: readonly string[]) =>
    metrics.counter(name, labels === undefined ? { help } : { help, labels });
  const received = counter('http_log_received_total', 'Records that Kong handed over.');
  const unreceived = counter(
    'http_log_unreceived_total',
    'Log events whose record Kong did not give: it has given up, or answered with an error.',
  );
  const filtered = counter('http_log_filtered_total', 'Records left out by the filter.');
  const sent = counter('http_log_sent_total', 'Records that the destination accepted.');
  const retried = counter('http_log_retried_total', 'Records in batches that are tried again.');
  const dropped = counter('http_log_dropped_total', 'Records that are lost.', ['reason']);
  const spooled = counter('http_log_spooled_total', 'Records written to the spool.');
  const recovered = counter('http_log_recovered_total', 'Records found in the spool of a former process.');
  const unspooled = counter(
    'http_log_unspooled_total',
    'Records that could not be written to the spool and are in memory only.',
  );
  const bytes = counter('http_log_sent_bytes_total', 'Bytes of request bodies that were accepted.');
  const latency = metrics.histogram('http_log_request_seconds', {
    help: 'How long accepted requests took.',
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10],
  });
  const gauge = (name: string, help: string, collect: () => number) => metrics.gauge(name, { help, collect });
  gauge('http_log_queue_length', 'Records waiting or under way.', levels.queueLength);
  gauge('http_log_queue_bytes', 'Bytes of waiting records in memory.', levels.queueBytes);
  gauge('http_log_spool_bytes', 'Bytes of the files on disk.', levels.spoolBytes);
  const add = (key: keyof Counts, target: { add(value?: number): void }) => (count: number) => {
    counts[key] += count;
    target.add(count);
  };
  const one = (run: (count: number) => void) => () => run(1);
  return {
    counts,
    received: one(add('received', received)),
    unreceived: add('unreceived', unreceived),
    filtered: one(add('filtered', filtered)),
    sent: add('sent', sent),
    retried: add('retried', retried),
    dropped: (count, reason) => {
      counts.dropped += count;
      dropped.add(count, { reason });
    },
    spooled: add('spooled', spooled),
    recovered: add('recovered', recovered),
    unspooled: add('unspooled', unspooled),
    bytes: add('bytes', bytes),
    latency: (seconds) => latency.observe(seconds),
  };
}
