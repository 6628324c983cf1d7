import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { Command } from 'commander';
import { printable, printableLine } from '../../terminal/printable.ts';
import { HooksApi } from './api.ts';

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

/** `hooks tail`: events and deliveries as they happen, until Ctrl-C. */
export function addTail(hooks: Command): void {
  hooks
    .command('tail')
    .description('events and deliveries as they happen')
    .option('--source <name>', 'of one source only')
    .action(async (options: { source?: string }, command: Command) => {
      const api = new HooksApi(command);
      const abort = new AbortController();
      const interrupt = (): void => {
        abort.abort();
      };
      process.once('SIGINT', interrupt);
      // Whoever was reading has gone.
      process.stdout.once('error', interrupt);
      const response = await api.open('GET', '/event-hooks/tail', undefined, abort.signal);
      if (response.body === null) return;
      try {
        await follow(api, Readable.fromWeb(response.body), options.source);
      } catch (error) {
        if (!abort.signal.aborted) throw error;
      } finally {
        process.off('SIGINT', interrupt);
        process.stdout.off('error', interrupt);
      }
    });
}

/** Prints line after line until the input ends. */
async function follow(api: HooksApi, input: Readable, source: string | undefined): Promise<void> {
  const failed = new Promise<never>((_, reject) => input.once('error', reject));
  failed.catch(() => undefined);
  const print = async (): Promise<void> => {
    for await (const text of createInterface({ input })) {
      const line = JSON.parse(text) as Line;
      if (line.type !== 'connected' && source !== undefined && line.source !== source) continue;
      if (api.json) process.stdout.write(`${printable(text)}\n`);
      else if (line.type !== 'connected') process.stdout.write(`${printableLine(describe(line))}\n`);
    }
  };
  await Promise.race([print(), failed]);
}

function describe(line: Line): string {
  const head = `${new Date(line.at).toISOString().slice(11, 23)}  ${line.source} ${line.event}`;
  if (line.type === 'event')
    return `${head}  event ${line.id}, ${String(line.hooks)} ${line.hooks === 1 ? 'hook' : 'hooks'}`;
  const outcome = line.error ?? `status ${line.status === null ? '-' : String(line.status)}`;
  return `${head}  ${line.state} after ${String(line.attempts)}, ${String(line.latencyMs)} ms, ${outcome}  hook ${line.hook}`;
}
