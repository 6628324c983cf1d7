import type { Config } from '../config/schema.ts';
import type { JsonObject } from './document.ts';
import { namesOf, statusOf } from './facts.ts';

export type Filter = (record: JsonObject) => boolean;
type Entity = 'route' | 'service' | 'consumer';

/** `404`, `5xx`, `40x` or `500-599` as a test. */
export function statusTest(pattern: string): (status: number) => boolean {
  const [from = '', to] = pattern.split('-');
  if (to !== undefined && to !== '') {
    return (status) => status >= Number(from) && status <= Number(to);
  }
  const low = Number(from.replaceAll('x', '0'));
  const high = Number(from.replaceAll('x', '9'));
  return (status) => status >= low && status <= high;
}

function entityTests(config: NonNullable<Config['filter']>): Filter[] {
  const tests: Filter[] = [];
  const add = (entity: Entity, only: readonly string[] | undefined, never: readonly string[] | undefined) => {
    if (only !== undefined && only.length > 0) {
      const wanted = new Set(only);
      tests.push((record) => namesOf(record, entity).some((name) => wanted.has(name)));
    }
    if (never !== undefined && never.length > 0) {
      const unwanted = new Set(never);
      tests.push((record) => !namesOf(record, entity).some((name) => unwanted.has(name)));
    }
  };
  add('route', config.routes, config.exclude_routes);
  add('service', config.services, config.exclude_services);
  add('consumer', config.consumers, config.exclude_consumers);
  return tests;
}

/** Compiles the filter, null when every record passes. Sampling is drawn last, so it is a share of what is left. */
export function compileFilter(config: Config['filter'], random: () => number): Filter | null {
  if (config === undefined) return null;
  const tests: Filter[] = [];
  const statuses = (config.statuses ?? []).map(statusTest);
  if (statuses.length > 0) {
    tests.push((record) => {
      const status = statusOf(record);
      return status !== null && statuses.some((test) => test(status));
    });
  }
  tests.push(...entityTests(config));
  if (config.sample_rate < 1) tests.push(() => random() < config.sample_rate);
  return tests.length === 0 ? null : (record) => tests.every((test) => test(record));
}
