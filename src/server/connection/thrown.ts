import { messageOf } from '../../base/errors.ts';

/** The thrown value, or an error in its place if even a look at the value throws. */
export function readable(thrown: unknown): unknown {
  try {
    if (thrown instanceof Error) void [thrown.message, thrown.stack];
    messageOf(thrown);
    return thrown;
  } catch {
    return new Error('something was thrown that cannot be read');
  }
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
