import type { PluginLog } from 'kong-ts';
import type { Clock } from './queue/clock.ts';

/**
 * Log lines that come at most once per interval and topic; the next line of a topic says how many were left out.
 */
export class Reports {
  readonly #topics = new Map<string, { last: number; suppressed: number; records: number }>();
  readonly #log: PluginLog;
  readonly #clock: Clock;
  readonly #intervalMs: number;

  constructor(log: PluginLog, clock: Clock, intervalMs: number) {
    this.#log = log;
    this.#clock = clock;
    this.#intervalMs = intervalMs;
  }

  write(level: 'warn' | 'error', topic: string, message: string, records = 0): void {
    const now = this.#clock.now();
    const known = this.#topics.get(topic);
    if (known !== undefined && now - known.last < this.#intervalMs) {
      known.suppressed += 1;
      known.records += records;
      return;
    }
    const total = records + (known?.records ?? 0);
    this.#log[level](message, {
      ...(total > 0 ? { records: total } : {}),
      ...(known !== undefined && known.suppressed > 0 ? { repeated: known.suppressed } : {}),
    });
    this.#topics.set(topic, { last: now, suppressed: 0, records: 0 });
  }
}
