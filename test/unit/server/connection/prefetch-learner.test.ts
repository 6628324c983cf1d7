import { expect, test } from 'vitest';
import { catalogue, rowByName } from '../../../../src/pdk/catalogue.ts';
import type { FunctionRow } from '../../../../src/pdk/catalogue.ts';
import { PrefetchLearner, PrefetchLearners } from '../../../../src/server/connection/prefetch-learner.ts';
import { isPlannable, maxPlannedCalls } from '../../../../src/server/connection/prefetch-plan.ts';
import { effectsOf } from '../../../../src/pdk/merging.ts';
import matrix from '../../../fixtures/kong/pdk-matrix-3.9.3.json' with { type: 'json' };

const header = rowByName('kong.request.get_header') as FunctionRow;

/** One event that asks for these headers, one after the other. */
function event(learner: PrefetchLearner, names: string): void {
  let first = true;
  let prefetch: ReturnType<PrefetchLearner['begin']> = null;
  for (const name of names) {
    if (first) prefetch = learner.begin(header, [name]);
    first = false;
    prefetch?.take(header, [name]);
  }
  prefetch?.close();
}
const events = (learner: PrefetchLearner, count: number, names: string) => {
  for (let done = 0; done < count; done++) event(learner, names);
};
const planOf = (learner: PrefetchLearner) => learner.plan?.calls.map(({ args }) => args[0]).join('') ?? null;

test('32 events that ask for the same make a plan', () => {
  const learner = new PrefetchLearner();
  events(learner, 31, 'abc');
  expect(planOf(learner)).toBe(null);
  event(learner, 'abc');
  expect(planOf(learner)).toBe('abc');
});

test('only what three quarters of the events ask for is in it, and one call alone is not a plan', () => {
  const learner = new PrefetchLearner();
  for (let done = 0; done < 32; done++) event(learner, done % 2 === 0 ? 'abcd' : 'acb');
  expect(planOf(learner)).toBe('abc');
  const single = new PrefetchLearner();
  events(single, 200, 'a');
  expect(planOf(single)).toBe(null);
});

test('a plan has a limit, and so have the arguments that are remembered', () => {
  const learner = new PrefetchLearner();
  events(learner, 40, 'x'.repeat(100));
  expect(learner.plan?.calls).toHaveLength(maxPlannedCalls);
  expect(isPlannable(header, ['x'.repeat(256)])).toBe(true);
  expect(isPlannable(header, ['x'.repeat(257)])).toBe(false);
  expect(isPlannable(header, [{}])).toBe(false);
});

test('a rare event as the first candidate is no harm for long', () => {
  const learner = new PrefetchLearner();
  event(learner, 'zyx');
  events(learner, 31, 'abc');
  expect(planOf(learner)).toBe(null);
  events(learner, 31, 'abc');
  expect(planOf(learner)).toBe(null);
  events(learner, 33, 'abc');
  expect(planOf(learner)).toBe('abc');
});

test('a plan whose answers are not used is given up and learned again, with pauses that double', () => {
  const learner = new PrefetchLearner();
  events(learner, 32, 'abcd');
  expect(planOf(learner)).toBe('abcd');
  events(learner, 64, 'ab');
  expect(planOf(learner)).toBe(null);
  const pauses: number[] = [];
  for (let round = 0; round < 3; round++) {
    let paused = 0;
    while (learner.begin(header, ['a']) === null) paused++;
    pauses.push(paused);
    // The event that was begun above never ends; another learner would wait for it, so this one is fed by hand.
    learner.built([]);
    events(learner, 32, 'abcd');
    expect(planOf(learner)).toBe('abcd');
    events(learner, 64, 'ab');
    expect(planOf(learner)).toBe(null);
  }
  expect(pauses).toEqual([32, 64, 128]);
});

test('a handler that begins with another call now is learned anew', () => {
  const learner = new PrefetchLearner();
  events(learner, 32, 'abc');
  events(learner, 64, 'xyz');
  expect(planOf(learner)).toBe(null);
  events(learner, 64, 'xyz');
  expect(planOf(learner)).toBe('xyz');
});

test('a plan that works grows when the handler asks for more', () => {
  const learner = new PrefetchLearner();
  events(learner, 32, 'ab');
  events(learner, 4096, 'abcd');
  expect(planOf(learner)).toBe('ab');
  events(learner, 32, 'abcd');
  expect(planOf(learner)).toBe('abcd');
});

test('nothing is made for an event while there is no plan and learning rests', () => {
  const learner = new PrefetchLearner();
  event(learner, 'zyx');
  events(learner, 31, 'abc');
  for (let done = 0; done < 32; done++) expect(learner.begin(header, ['a'])).toBe(null);
});

test('events that run side by side with the one that is written down are not', () => {
  const learner = new PrefetchLearner();
  const first = learner.begin(header, ['a']);
  expect(first).not.toBe(null);
  expect(learner.begin(header, ['a'])).toBe(null);
  first?.close();
  expect(learner.begin(header, ['a'])).not.toBe(null);
});

test('rewrite, access and response have a learner, the other phases none', () => {
  const learners = new PrefetchLearners();
  expect(learners.of('access')).toBe(learners.of('access'));
  expect(learners.of('access')).not.toBe(learners.of('rewrite'));
  expect(learners.of('response')).not.toBe(null);
  for (const phase of ['log', 'preread', 'certificate'] as const) expect(learners.of(phase)).toBe(null);
});

test('every function that is asked for ahead answers, wherever Kong takes it in these phases', () => {
  const steady = catalogue.filter((row) => row.steady != null);
  expect(steady.length).toBeGreaterThan(20);
  const measured = matrix.functions as unknown as Record<
    string,
    Record<'protobuf', Record<string, string>> | undefined
  >;
  for (const row of steady) {
    expect(row.travel.protobuf, row.name).toBe('getter');
    for (const phase of ['rewrite', 'access', 'response'] as const) {
      const expected = row.phases.protobuf.includes(phase) ? 'ok' : 'rejected';
      expect(measured[row.name]?.protobuf[phase], `${row.name}, ${phase}`).toBe(expected);
    }
  }
});

test('what other plugins have left, what time changes and what a client can break is never asked for ahead', () => {
  for (const name of [
    'kong.client.get_consumer',
    'kong.client.get_credential',
    'kong.ctx.shared.get',
    'kong.nginx.get_ctx',
    'kong.nginx.get_var',
    'kong.request.get_forwarded_port',
    'kong.request.get_query_arg',
    'kong.request.get_raw_body',
    'kong.request.get_uri_captures',
    'kong.log.serialize',
  ]) {
    expect(rowByName(name)?.steady, name).toBe(null);
  }
});

test('everything but getters and logs may change what getters answer', () => {
  for (const row of catalogue) {
    const last = row.name.slice(row.name.lastIndexOf('.') + 1);
    const reads =
      /^(get|is|load|parse)(_|$)/.test(last) ||
      row.travel.msgpack === 'log' ||
      /serialize$|req_start/.test(last);
    const made = row.travel.protobuf === 'composed' && !/getter|log/.test(row.travel.msgpack);
    expect(effectsOf(row).changes !== 0, row.name).toBe(!reads || made);
  }
});
