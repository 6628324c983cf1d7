import type { Registry } from 'prom-client';
import { Counter, Gauge, Histogram } from 'prom-client';

const prefix = 'kong_ts_event_hooks_watch_';

/** What watching costs and finds, in the dispatcher's metrics. */
export class WatchMetrics {
  readonly #polls: Counter<'kind'>;
  readonly #changes: Counter<'kind' | 'operation'>;
  readonly #errors: Counter;
  readonly #seconds: Histogram<'kind'>;
  readonly #entities: Gauge<'kind'>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#polls = new Counter({
      name: `${prefix}looks_total`,
      help: 'Listings of a kind of entity that were read whole.',
      labelNames: ['kind'],
      registers,
    });
    this.#changes = new Counter({
      name: `${prefix}changes_total`,
      help: 'Changes that have become events.',
      labelNames: ['kind', 'operation'],
      registers,
    });
    this.#errors = new Counter({
      name: `${prefix}errors_total`,
      help: 'Polls that failed: Kong did not answer, refused, or the events could not be stored.',
      registers,
    });
    this.#seconds = new Histogram({
      name: `${prefix}look_seconds`,
      help: 'How long it took to list a kind of entity and to compare it.',
      labelNames: ['kind'],
      buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60],
      registers,
    });
    this.#entities = new Gauge({
      name: `${prefix}entities`,
      help: 'Entities of a kind at the last poll.',
      labelNames: ['kind'],
      registers,
    });
  }

  polled(kind: string, milliseconds: number, entities: number): void {
    this.#polls.inc({ kind });
    this.#seconds.observe({ kind }, milliseconds / 1000);
    this.#entities.set({ kind }, entities);
  }
  changed(kind: string, operation: string): void {
    this.#changes.inc({ kind, operation });
  }
  failed(): void {
    this.#errors.inc();
  }
}
