import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for something that other processes bring about: 30 s at most. */
export async function until<T>(what: string, look: () => T | null | Promise<T | null>): Promise<T> {
  for (let tries = 0; tries < 600; tries += 1) {
    const found = await look();
    if (found !== null) return found;
    await sleep(50);
  }
  throw new Error(`${what} did not come about`);
}
