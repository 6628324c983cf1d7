import { afterEach, expect, test } from 'vitest';
import { KongTsError } from '../../../src/base/errors.ts';
import { ExitSignal } from '../../../src/pdk/index.ts';
import { surviveFailures } from '../../../src/server/worker/failures.ts';
import { memoryLog } from '../../support/connection-host.ts';
import type { LogLine } from '../../support/connection-host.ts';

const events = ['uncaughtException', 'unhandledRejection'] as const;
const before = events.map((event) => process.rawListeners(event));

afterEach(() => {
  events.forEach((event, at) => {
    for (const listener of process.rawListeners(event)) {
      if (before[at]?.includes(listener) !== true) process.removeListener(event, listener as () => void);
    }
  });
});

/** What is logged when a promise that nobody handles rejects. */
function loggedFor(reason: unknown, times = 1): LogLine[] {
  const lines: LogLine[] = [];
  surviveFailures(memoryLog(lines));
  const added = process.rawListeners('unhandledRejection').at(-1) as (reason: unknown) => void;
  for (let time = 0; time < times; time++) added(reason);
  return lines;
}

test('a helper that nobody awaits and that the end of its event has stopped is not a failure; for want of an await it is a warning, once', () => {
  expect(loggedFor(new ExitSignal())).toEqual([]);
  expect(loggedFor(new KongTsError('PDK_CALL_FAILED', 'over'))).toEqual([]);
  expect(loggedFor(new KongTsError('PDK_EVENT_ENDED', 'over'), 3)).toMatchObject([{ level: 'warn' }]);
});

test('other rejections are', () => {
  expect(loggedFor(new Error('boom'))).toMatchObject([
    { level: 'error', message: expect.stringContaining('boom') as string },
  ]);
  expect(loggedFor(new KongTsError('PDK_NOT_IN_PHASE', 'not here'))).toHaveLength(1);
});
