import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Inheritance } from '../../../../src/server/keeper/inheritance.ts';
import { Keeper } from '../../../../src/server/keeper/keeper.ts';
import { createCallbackLog } from '../../../../src/server/index.ts';

let said: string[];
let kong: boolean;
type State = 'kept' | 'taken' | 'missing';
let state: State | Promise<State>;
let inherited: { empty: boolean; come: () => void; ended: boolean; closed: boolean };
let keeper: Keeper;
const worker = { shut: false, events: 0, alone: false, serve: () => Promise.resolve() };

beforeEach(() => {
  vi.useFakeTimers();
  said = [];
  kong = true;
  state = 'kept';
  inherited = { empty: false, come: () => undefined, ended: false, closed: false };
  const sockets = {
    get empty() {
      return inherited.empty;
    },
    accept: (come: () => void) => {
      inherited.come = come;
    },
    state: () => Promise.resolve(state),
    end: () => {
      inherited.ended = true;
    },
    close: () => {
      inherited.closed = true;
    },
  };
  const log = createCallbackLog('emerg', () => undefined);
  keeper = new Keeper(
    {
      kongRuns: () => kong,
      file: null,
      log,
      worker: { ...worker },
      will: {
        maxFrameBytes: 1024,
        log,
        add: () => true,
        find: () => null,
        remove: () => undefined,
        pluginNames: () => [],
      },
      orphaned: () => said.push('orphaned'),
      leave: (parting) => said.push(parting),
    },
    sockets as unknown as Inheritance,
  );
});
afterEach(() => vi.useRealTimers());

test('a worker without a supervisor serves until another server has the sockets, and lets what it has fade', async () => {
  keeper.orphaned(null);
  for (let second = 0; second < 50; second++) {
    inherited.come();
    await vi.advanceTimersByTimeAsync(1000);
  }
  expect(said).toEqual(['orphaned']);
  state = 'taken';
  await vi.advanceTimersByTimeAsync(60);
  expect(said).toEqual(['orphaned', 'let fade']);
  await keeper.end();
  expect(inherited.ended).toBe(true);
});

test('looks that overlap on a busy machine part once', async () => {
  let answer: (state: 'taken') => void = () => undefined;
  state = new Promise((resolve) => (answer = resolve));
  keeper.orphaned(null);
  await vi.advanceTimersByTimeAsync(200);
  answer('taken');
  await vi.advanceTimersByTimeAsync(10);
  expect(said).toEqual(['orphaned', 'let fade']);
});

test.each<[string, number, () => void]>([
  ['when Kong has ended', 100, () => (kong = false)],
  ['when the files are gone', 100, () => (state = 'missing')],
  ['after 20 seconds in which nobody comes', 20_050, () => undefined],
])('it ends %s', async (_why, afterMs, happens) => {
  keeper.orphaned(null);
  inherited.come();
  await vi.advanceTimersByTimeAsync(afterMs - 100);
  expect(said).toEqual(['orphaned']);
  happens();
  await vi.advanceTimersByTimeAsync(200);
  expect(said).toEqual(['orphaned', 'close']);
});

test('it ends after a minute, whoever comes', async () => {
  keeper.orphaned(null);
  const comes = setInterval(() => inherited.come(), 1000);
  await vi.advanceTimersByTimeAsync(59_900);
  expect(said).toEqual(['orphaned']);
  await vi.advanceTimersByTimeAsync(300);
  clearInterval(comes);
  expect(said).toEqual(['orphaned', 'close']);
});

test('a worker that has not inherited the sockets lets what it has fade, and hurries when Kong has ended', async () => {
  inherited.empty = true;
  keeper.orphaned(null);
  expect(said).toEqual(['orphaned', 'let fade']);
  kong = false;
  await vi.advanceTimersByTimeAsync(100);
  expect(said).toEqual(['orphaned', 'let fade', 'close']);
});

test('a worker that parts already goes on with that, but what it would hand over fades', async () => {
  keeper.orphaned('let go');
  expect([said, inherited.closed]).toEqual([['orphaned'], true]);
  keeper.orphaned('hand over');
  expect(said.at(-1)).toBe('let fade');
  await keeper.end();
  expect(inherited.ended).toBe(false);
});
