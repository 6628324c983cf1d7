import type { Command } from 'commander';
import { printable, printableLine } from '../../terminal/index.ts';
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
      try {
        const lines = api.follow<Line>('/event-hooks/tail', abort.signal);
        for await (const { value, text } of lines) print(api, value, text, options.source);
      } catch (error) {
        if (!abort.signal.aborted) throw error;
      } finally {
        process.off('SIGINT', interrupt);
        process.stdout.off('error', interrupt);
      }
    });
}

function print(api: HooksApi, line: Line, text: string, source: string | undefined): void {
  if (line.type !== 'connected' && source !== undefined && line.source !== source) return;
  if (api.json) process.stdout.write(`${printable(text)}\n`);
  else if (line.type !== 'connected') process.stdout.write(`${printableLine(describe(line))}\n`);
}

function describe(line: Line): string {
  const head = `${new Date(line.at).toISOString().slice(11, 23)}  ${line.source} ${line.event}`;
  if (line.type === 'event')
    return `${head}  event ${line.id}, ${String(line.hooks)} ${line.hooks === 1 ? 'hook' : 'hooks'}`;
  const outcome = line.error ?? `status ${line.status === null ? '-' : String(line.status)}`;
  return `${head}  ${line.state} after ${String(line.attempts)}, ${String(line.latencyMs)} ms, ${outcome}  hook ${line.hook}`;
}
