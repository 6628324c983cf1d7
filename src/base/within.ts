/** The answer of `within` for a result that did not come in time. */
export const late: unique symbol = Symbol('late');

/**
 * What a promise resolves to, or `late` when it has not settled after `limitMs`. The work itself goes on, and the
 * caller decides what to do with its end. A rejection that comes in time is thrown; a later one is ignored.
 * @param limitMs milliseconds
 * @param keepsAlive whether the process stays for it. Default true
 */
export async function within<Value>(
  limitMs: number,
  work: Promise<Value>,
  keepsAlive = true,
): Promise<Value | typeof late> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<typeof late>((resolve) => {
    timer = setTimeout(() => {
      resolve(late);
    }, limitMs);
    if (!keepsAlive) timer.unref();
  });
  try {
    return await Promise.race([work, over]);
  } finally {
    clearTimeout(timer);
  }
}
