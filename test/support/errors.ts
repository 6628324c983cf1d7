import { expect } from 'vitest';
import type { ErrorCode } from '../../src/base/errors.ts';

/** Matches a KongTsError by its code and its message. */
export function kongTsError(code: ErrorCode, message: RegExp): Error {
  return expect.objectContaining({ code, message: expect.stringMatching(message) as string }) as Error;
}
