import { readFileSync } from 'node:fs';
import type { Protocol } from '../../../src/pdk/names/phases.ts';

/** What Kong 3.9.3 gave for one request over one protocol. */
interface Recorded {
  /** kong.request.get_header by name. */
  readonly single: Readonly<Record<string, unknown>>;
  /** Entries of kong.request.get_headers. */
  readonly count: number;
  /** Some or all of them. */
  readonly all: Readonly<Record<string, unknown>>;
}

export interface RecordedRequest {
  readonly protobuf: Recorded;
  readonly msgpack: Recorded;
}

const file = new URL('../../fixtures/kong/merging-3.9.3.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: Record<string, RecordedRequest> };

export const recordedRequests = Object.entries(cases);

/** A value of the recording. Bytes that are not UTF-8 are lone surrogates in it, as they are here. */
function valueOf(value: unknown): unknown {
  const length = (value as { length?: unknown } | null)?.length;
  return typeof value === 'object' && !Array.isArray(value) && typeof length === 'number'
    ? 'y'.repeat(length)
    : value;
}

/** What get_header gave, by name. */
export function recordedSingles(recorded: RecordedRequest, protocol: Protocol): [string, unknown][] {
  return Object.entries(recorded[protocol].single).map(([name, value]) => [name, valueOf(value)]);
}

/** What get_headers gave: what the recording shows, and others in place of those that it only counts. */
export function recordedTable(recorded: RecordedRequest, protocol: Protocol): Record<string, unknown> {
  const { all, count } = recorded[protocol];
  const table = Object.fromEntries(Object.entries(all).map(([name, value]) => [name, valueOf(value)]));
  const shown = Object.values(table).reduce<number>(
    (sum, value) => sum + (Array.isArray(value) ? value.length : 1),
    0,
  );
  for (let at = shown; at < count; at++) table[`x-other-${String(at)}`] = 'v';
  return table;
}
