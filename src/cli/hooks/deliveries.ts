import type { Command } from 'commander';
import { printableJson } from '../../terminal/index.ts';
import { HooksApi } from './api.ts';
import { eventFields, readFields, wholeNumber } from './fields.ts';
import { replay } from './replay.ts';
import { hookPath, print, show } from './show.ts';
import { table, time } from './table.ts';

interface DeliveryRow {
  id: string;
  event: string;
  state: string;
  attempts: number;
  status: number | null;
  latency_ms: number | null;
  created_at: number;
  error: string | null;
}

/** The calls that send something, and those about what was sent. */
export function addDeliveries(hooks: Command): void {
  hooks
    .command('ping')
    .description('send a ping to a webhook and print its payload')
    .argument('<id>')
    .action(async (id: string, _options: unknown, command: Command) => {
      const payload = await new HooksApi(command).call('GET', `${hookPath(id)}/ping`);
      print(printableJson(payload));
    });

  hooks
    .command('test')
    .description("run a hook's handler now on fields of an event; exits with 1 when it fails")
    .argument('<id>')
    .argument('[field...]', 'name=value')
    .option('--file <path>', 'a JSON document with the fields; - reads standard input')
    .action(async (id: string, fields: string[], options: { file?: string }, command: Command) => {
      const api = new HooksApi(command);
      const answer = await api.call<{ result: true | { error?: string; status?: number } }>(
        'POST',
        `${hookPath(id)}/test`,
        readFields(fields, options.file, eventFields),
      );
      print(printableJson(answer));
      const { result } = answer;
      const good =
        result === true || (result.status !== undefined && result.status >= 200 && result.status < 300);
      if (!good) process.exitCode = 1;
    });

  addRecords(hooks);
}

function addRecords(hooks: Command): void {
  hooks
    .command('deliveries')
    .description('deliveries of a hook, newest first; or one delivery with its payload')
    .argument('<id>', 'of a hook or of a delivery')
    .option('--state <state>', 'pending, waiting, delivered or dead')
    .option('--since <time>', 'seconds since the epoch or an ISO 8601 time')
    .option('--limit <count>', 'how many', '20')
    .action(
      async (id: string, options: { state?: string; since?: string; limit: string }, command: Command) => {
        const api = new HooksApi(command);
        if (id.includes('_')) {
          print(printableJson(await api.call('GET', `/event-hooks/deliveries/${encodeURIComponent(id)}`)));
          return;
        }
        const limit = wholeNumber('--limit', options.limit);
        const query = new URLSearchParams({ size: String(Math.min(limit, 1000)) });
        if (options.state !== undefined) query.set('state', options.state);
        if (options.since !== undefined) query.set('since', options.since);
        const rows = await api.list<DeliveryRow>(`${hookPath(id)}/deliveries?${query.toString()}`, limit);
        show(api, rows, () =>
          rows.length === 0
            ? 'There are no deliveries.'
            : table(
                ['ID', 'EVENT', 'STATE', 'TRIES', 'STATUS', 'MS', 'AT', 'ERROR'],
                rows.map((r) => [
                  r.id,
                  r.event,
                  r.state,
                  r.attempts,
                  r.status,
                  r.latency_ms,
                  time(r.created_at),
                  r.error,
                ]),
              ),
        );
      },
    );

  hooks
    .command('replay')
    .description('make deliveries again: one, all of a hook, or those of a hook since a time')
    .argument('<id>', 'of a hook or of a delivery')
    .option('--since <time>', 'seconds since the epoch or an ISO 8601 time')
    .option('--dead', 'only those that were given up')
    .action(async (id: string, options: { since?: string; dead?: boolean }, command: Command) => {
      await replay(new HooksApi(command), id, options);
    });
}
