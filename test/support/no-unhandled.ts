import { afterEach, beforeEach, expect } from 'vitest';
import { turns } from './unix-server.ts';

/** For all tests of a file: a rejection that nobody handles fails the test that it came in. */
export function expectNoUnhandledRejections(): void {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  beforeEach(() => {
    unhandled.length = 0;
    process.on('unhandledRejection', note);
  });
  afterEach(async () => {
    await turns();
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
  });
}
