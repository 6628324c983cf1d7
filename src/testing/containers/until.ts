import { setTimeout as wait } from 'node:timers/promises';

/** Asks until there is an answer. A question that throws counts as unanswered. */
export async function until<Answer>(
  timeoutMs: number,
  ask: () => Promise<Answer | null>,
  late: () => Error,
): Promise<Answer> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask().catch(() => null);
    if (answer !== null) return answer;
    if (Date.now() > end) throw late();
    await wait(200);
  }
}
