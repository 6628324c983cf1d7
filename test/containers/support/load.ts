import http from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';

export interface Outcome {
  /** HTTP status, or the error's code where there was no answer. */
  readonly status: number | string;
  /** The header that the plugin sets, null where it did not run. */
  readonly mark: string | null;
}

/** Sends requests one after the other, each on a connection of its own, until it is stopped. */
export function startLoad(url: string, header: string, concurrency = 4): { stop(): Promise<Outcome[]> } {
  const outcomes: Outcome[] = [];
  let going = true;
  const run = async (): Promise<void> => {
    while (going) {
      outcomes.push(await once(url, header));
      // Enough to meet every moment of a change; the machine has other things to do then.
      await wait(10);
    }
  };
  const runners = Array.from({ length: concurrency }, run);
  return {
    stop: async () => {
      going = false;
      await Promise.all(runners);
      return outcomes;
    },
  };
}

export function once(url: string, header: string): Promise<Outcome> {
  return new Promise((resolve) => {
    const request = http.get(url, { agent: false, headers: { connection: 'close' } }, (response) => {
      const mark = response.headers[header];
      response.on('error', (error: NodeJS.ErrnoException) =>
        resolve({ status: error.code ?? error.message, mark: null }),
      );
      response.resume();
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, mark: typeof mark === 'string' ? mark : null }),
      );
    });
    request.on('error', (error: NodeJS.ErrnoException) =>
      resolve({ status: error.code ?? error.message, mark: null }),
    );
  });
}

/** How often each status came. */
export function tally(outcomes: readonly Outcome[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status } of outcomes) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}
