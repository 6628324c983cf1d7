/**
 * Takes every step, one after the other, also when an earlier one fails.
 * @throws the error of the failed step; an AggregateError if several failed
 */
export async function stopAll(steps: readonly (() => Promise<unknown> | undefined)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length === 0) return;
  throw errors.length === 1 ? errors[0] : new AggregateError(errors, 'Not everything could be taken away.');
}
