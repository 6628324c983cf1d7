/**
 * Takes every step, one after the other, also when an earlier one fails.
 * @throws what the one step threw that failed; an AggregateError when there was more than one
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
