import { setTimeout as sleep } from 'node:timers/promises';
import { KongTsError } from '../../base/errors.ts';
import type { DemoProcess } from './process.ts';

/** How long a process may take until it answers, also on a busy machine. */
const patienceMs = 30_000;
const intervalMs = 50;

/**
 * Resolves when the address answers with status 200. When the signal aborts first, it rejects with the signal's reason.
 * @throws KongTsError PLUGIN_SERVER_UNREACHABLE with the last lines of the process, when it ends or never answers
 */
export async function waitForHttp(url: string, from: DemoProcess, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (Date.now() < deadline && from.running()) {
    signal.throwIfAborted();
    if (await answers(url)) return;
    await sleep(intervalMs);
  }
  const what = from.running() ? `does not answer on ${url}` : await from.ended;
  throw new KongTsError(
    'PLUGIN_SERVER_UNREACHABLE',
    `The process "${from.name}" ${what}. Its last lines:\n${from.tail(20)}`,
  );
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}
