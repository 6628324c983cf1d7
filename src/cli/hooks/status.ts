import type { Command } from 'commander';
import { KongTsError } from '../../base/errors.ts';
import { nearest } from '../../base/nearest.ts';
import { HooksApi } from './api.ts';
import { show } from './show.ts';
import { table } from './table.ts';

interface EventInfo {
  fields: string[];
  unique?: string[];
  description?: string;
}
type Sources = Record<string, Record<string, EventInfo>>;

interface Status {
  store: string;
  durable: boolean;
  store_healthy: boolean;
  delivering: boolean;
  hooks: number;
  unfinished: number;
}

/** The calls about the dispatcher: what can be hooked, and how it does. */
export function addStatus(hooks: Command): void {
  hooks
    .command('sources')
    .description('list the events that hooks can name, with their fields')
    .argument('[source]', 'events of one source only')
    .argument('[event]', 'one event only')
    .action(
      async (source: string | undefined, event: string | undefined, _options: unknown, command: Command) => {
        const api = new HooksApi(command);
        const { data } = await api.call<{ data: Sources }>('GET', '/event-hooks/sources');
        const chosen = choose(data, source, event);
        show(api, chosen, () =>
          table(
            ['SOURCE', 'EVENT', 'FIELDS', 'IDENTITY', 'DESCRIPTION'],
            Object.entries(chosen).flatMap(([name, events]) =>
              Object.entries(events).map(([one, { fields, unique, description }]) => [
                name,
                one,
                fields.join(', '),
                unique?.join(', '),
                description,
              ]),
            ),
          ),
        );
      },
    );

  hooks
    .command('status')
    .description('say what the dispatcher does; exits with 1 when its store fails')
    .action(async (_options: unknown, command: Command) => {
      const api = new HooksApi(command);
      const status = await api.call<Status>('GET', '/event-hooks/status');
      show(api, status, () => describe(api.base, status));
      if (!status.store_healthy) process.exitCode = 1;
    });
}

function choose(all: Sources, source: string | undefined, event: string | undefined): Sources {
  if (source === undefined) return all;
  const events = Object.hasOwn(all, source) ? all[source] : undefined;
  if (events === undefined) throw unknown(`source "${source}"`, source, Object.keys(all));
  if (event === undefined) return { [source]: events };
  const info = Object.hasOwn(events, event) ? events[event] : undefined;
  if (info === undefined) throw unknown(`event "${event}" of ${source}`, event, Object.keys(events));
  return { [source]: { [event]: info } };
}

function unknown(what: string, name: string, known: readonly string[]): KongTsError {
  const meant = nearest(name, known);
  return new KongTsError('HOOK_INVALID', `Nobody has published the ${what}.`, {
    fix: meant === null ? 'kong-ts hooks sources lists what is published.' : `Did you mean ${meant}?`,
  });
}

function describe(base: string, status: Status): string {
  const durable = status.durable
    ? 'survives a restart'
    : 'ends with the process (start the dispatcher with --data-dir FOLDER to keep it)';
  return [
    `dispatcher  ${base}`,
    `store       ${status.store}, ${status.store_healthy ? 'in order' : 'FAILING'}; what it holds ${durable}`,
    `delivering  ${status.delivering ? 'yes' : 'no: another process on the same store delivers'}`,
    `hooks       ${String(status.hooks)}`,
    `unfinished  ${String(status.unfinished)} ${status.unfinished === 1 ? 'delivery' : 'deliveries'}`,
  ].join('\n');
}
