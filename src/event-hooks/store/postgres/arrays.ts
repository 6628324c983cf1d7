import { latencyBucket } from '../latency.ts';
import { EventRefusedError } from '../types.ts';
import type { AttemptResult, NewEvent } from '../types.ts';
import { stateNumber } from '../rows.ts';

/** PostgreSQL keeps every character but this one. */
const withoutNul = (text: string | null): string | null => text?.replaceAll('\0', '\ufffd') ?? null;
/** A longer id fits into no index. */
const longestId = 2000;

/** A batch as columns, so that it is one statement. @throws EventRefusedError for an event that can never be stored */
export function columnsOf(events: readonly NewEvent[], results: readonly AttemptResult[]): unknown[] {
  for (const [index, event] of events.entries()) check(event, index);
  const pairs = events.flatMap(({ hooks, rules = [] }, at) =>
    hooks.map((hook) => ({ at: at + 1, hook, rule: rules.find((one) => one.hook === hook) ?? null })),
  );
  return [
    events.map(({ id }) => id),
    events.map(({ source }) => source),
    events.map(({ event }) => event),
    events.map(({ at }) => Math.round(at)),
    events.map(({ payload }) => payload),
    events.map(({ payload }) => payload.length),
    pairs.map(({ at }) => at),
    pairs.map(({ hook }) => hook),
    pairs.map(({ rule }) => rule?.identity ?? null),
    pairs.map(({ rule }) => rule?.digest ?? null),
    pairs.map(({ rule }) => (rule === null ? null : Math.round(rule.snoozeMs))),
    results.map(({ hookId }) => hookId),
    results.map(({ seq }) => seq),
    results.map(({ epoch }) => epoch),
    results.map(({ state }) => stateNumber[state]),
    results.map(({ attempts }) => attempts),
    results.map(({ state, due }) => (state === 'waiting' ? Math.round(due) : null)),
    results.map(({ finishedAt }) => Math.round(finishedAt)),
    results.map(({ status }) => status),
    results.map(({ latencyMs }) => latencyMs),
    results.map(({ error }) => withoutNul(error)),
    results.map(({ response }) => withoutNul(response)),
    results.map(({ request }) => (request == null ? null : JSON.stringify(request))),
    results.map(({ latencyMs }) => latencyBucket(latencyMs)),
  ];
}

/** The hooks that the pairs of {@link columnsOf} name, by their place from 1: for the event's index and its hook. */
export function pairOf(events: readonly NewEvent[], place: number): readonly [number, string] | null {
  let left = place;
  for (const [index, { hooks }] of events.entries()) {
    const hook = hooks[left - 1];
    if (hook !== undefined) return [index, hook];
    left -= hooks.length;
  }
  return null;
}

function check({ id, source, event, at, payload }: NewEvent, index: number): void {
  for (const [name, text] of Object.entries({ id, source, event, payload }))
    if (text.includes('\0')) throw new EventRefusedError(index, `its ${name} has a character NUL`);
  if (Buffer.byteLength(id) > longestId)
    throw new EventRefusedError(index, `its id is longer than ${String(longestId)} bytes`);
  if (!Number.isSafeInteger(Math.round(at))) throw new EventRefusedError(index, 'its time is no number');
}
