import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { DoublingPause } from '../../base/doubling-pause.ts';
import { KongTsError } from '../../base/errors.ts';
import { printable, printableLine } from '../../terminal/index.ts';
import { HooksApi } from './api.ts';
import { wholeNumber } from './fields.ts';

interface Line {
  type: 'connected' | 'event' | 'delivery';
  at: number;
  id: string;
  source: string;
  event: string;
  hooks: number;
  hook: string;
  state: string;
  attempts: number;
  status: number | null;
  latencyMs: number;
  error: string | null;
}

interface TailOptions {
  source?: string;
  limit?: string;
}

/** Pauses before the connection is made again, in milliseconds. */
const firstPauseMs = 250;
const mostPauseMs = 5000;

/** `hooks tail`: events and deliveries as they happen, until Ctrl-C. */
export function addTail(hooks: Command): void {
  hooks
    .command('tail')
    .description('print events and deliveries as they happen; Ctrl-C ends it')
    .option('--source <name>', 'of one source only')
    .option('--limit <count>', 'end after so many lines')
    .addHelpText(
      'after',
      `
Times are UTC, and durations are milliseconds. If the connection breaks off, tail connects again and says so. It does not
show what happened in between: "kong-ts hooks deliveries HOOK" lists that.`,
    )
    .action(async (options: TailOptions, command: Command) => {
      const abort = new AbortController();
      const end = (): void => {
        abort.abort();
      };
      const signals = ['SIGINT', 'SIGTERM'] as const;
      for (const signal of signals) process.once(signal, end);
      // The reader of the output has gone.
      process.stdout.once('error', end);
      try {
        await tail(new HooksApi(command), options, abort);
      } catch (error) {
        if (!abort.signal.aborted) throw error;
      } finally {
        for (const signal of signals) process.off(signal, end);
        process.stdout.off('error', end);
      }
    });
}

async function tail(api: HooksApi, { source, limit }: TailOptions, abort: AbortController): Promise<void> {
  const { signal } = abort;
  let left = limit === undefined ? Number.POSITIVE_INFINITY : wholeNumber('--limit', limit);
  const pause = new DoublingPause(firstPauseMs, mostPauseMs);
  let connected = false;
  for (;;) {
    try {
      for await (const { value, text } of api.follow<Line>('/event-hooks/tail', signal)) {
        if (value.type === 'connected') {
          tell(
            api,
            `${connected ? 'Connected again to' : 'Watching'} ${api.base}.${connected ? '' : ' Ctrl-C ends it.'}`,
          );
          connected = true;
          pause.reset();
        }
        if (!print(api, value, text, source)) continue;
        left -= 1;
        if (left === 0) {
          abort.abort();
          return;
        }
      }
    } catch (error) {
      // A first connection that fails, and an answer that others give, do not get better.
      if (!connected || !isTemporary(error)) throw error;
    }
    tell(api, 'The connection ended. Connecting again; what happens meanwhile is not shown.');
    await sleep(pause.next(), undefined, { signal });
  }
}

/** Words beside the lines, for whoever watches. */
function tell(api: HooksApi, text: string): void {
  if (!api.json) process.stderr.write(`${text}\n`);
}

const isTemporary = (error: unknown): boolean => KongTsError.is(error) && error.code === 'HOOKS_UNAVAILABLE';

/** @returns whether it was a line that was asked for */
function print(api: HooksApi, line: Line, text: string, source: string | undefined): boolean {
  const isWanted = line.type !== 'connected' && (source === undefined || line.source === source);
  if (api.json) {
    if (isWanted || line.type === 'connected') process.stdout.write(`${printable(text)}\n`);
  } else if (isWanted) process.stdout.write(`${printableLine(describe(line))}\n`);
  return isWanted;
}

function describe(line: Line): string {
  const head = `${new Date(line.at).toISOString().slice(11, 23)}  ${line.source} ${line.event}`;
  if (line.type === 'event') return `${head}  event ${line.id} for ${counted(line.hooks, 'hook')}`;
  const outcome = line.error ?? (line.status === null ? 'no status' : `status ${String(line.status)}`);
  const latency = `${line.latencyMs.toFixed(1)} ms`;
  return `${head}  ${line.state} at attempt ${String(line.attempts)} in ${latency}: ${outcome}  hook ${line.hook}`;
}

const counted = (count: number, what: string): string => `${String(count)} ${what}${count === 1 ? '' : 's'}`;
