import type { Command } from 'commander';
import { hookFields } from '../../event-hooks/admin/index.ts';
import { KongTsError } from '../../base/errors.ts';
import { printableJson, printableLine } from '../../terminal/index.ts';
import { HooksApi } from './api.ts';
import { readFields } from './fields.ts';
import { hookPath, print, show } from './show.ts';
import { table } from './table.ts';

interface HookRow {
  id: string;
  source: string;
  event: string | null;
  handler: string;
  enabled?: false;
  disabled_reason?: string;
  config: { url?: string };
}

const line = (hook: HookRow): string =>
  printableLine(
    `${hook.id}: ${hook.source} ${hook.event ?? '*'} -> ${hook.config.url ?? hook.handler}${hook.enabled === false ? ' (off)' : ''}`,
  );

/** The calls about hooks themselves. */
export function addHooks(hooks: Command): void {
  hooks
    .command('list')
    .description('list the hooks')
    .action(async (_options: unknown, command: Command) => {
      const api = new HooksApi(command);
      const rows = await api.list<HookRow>('/event-hooks');
      show(api, rows, () => (rows.length === 0 ? 'There are no event hooks.' : tableOf(rows)));
    });

  hooks
    .command('get')
    .description('print one hook as JSON, with its secret')
    .argument('<id>')
    .action(async (id: string, _options: unknown, command: Command) => {
      print(printableJson(await new HooksApi(command).call('GET', hookPath(id))));
    });

  hooks
    .command('create')
    .description('create a hook from fields (source=crud handler=webhook config.url=https://...)')
    .argument('[field...]', 'name=value, as in a form body of the Admin API')
    .option('--file <path>', 'a JSON document in place of fields; - reads standard input')
    .action(async (fields: string[], options: { file?: string }, command: Command) => {
      const api = new HooksApi(command);
      const hook = readFields(fields, options.file, await hookFields());
      const made = await api.call<HookRow>('POST', '/event-hooks', hook);
      show(api, made, () => `Created ${line(made)}`);
    });

  addChanges(hooks);
}

function addChanges(hooks: Command): void {
  hooks
    .command('update')
    .description('change fields of a hook; the others stay as they are (snooze=null unsets a field)')
    .argument('<id>')
    .argument('[field...]', 'name=value, as in a form body of the Admin API')
    .option('--file <path>', 'a JSON document in place of fields; - reads standard input')
    .action(async (id: string, fields: string[], options: { file?: string }, command: Command) => {
      if (fields.length === 0 && options.file === undefined) {
        throw new KongTsError('USAGE', 'Nothing to change was given.', {
          fix: 'Write fields, as in: kong-ts hooks update ID snooze=60 config.url=https://example.com/hook',
        });
      }
      const change = readFields(fields, options.file, await hookFields());
      await update(new HooksApi(command), id, change, 'Updated');
    });

  for (const [name, enabled, word] of [
    ['enable', true, 'Switched on'],
    ['disable', false, 'Switched off'],
  ] as const) {
    hooks
      .command(name)
      .description(
        enabled ? 'switch a hook on: deliveries that waited go on' : 'switch a hook off: its deliveries wait',
      )
      .argument('<id>')
      .action((id: string, _options: unknown, command: Command) =>
        update(new HooksApi(command), id, { enabled }, word),
      );
  }

  hooks
    .command('delete')
    .description('delete a hook and its deliveries')
    .argument('<id>')
    .action(async (id: string, _options: unknown, command: Command) => {
      await new HooksApi(command).call('DELETE', hookPath(id));
    });
}

async function update(api: HooksApi, id: string, change: unknown, word: string): Promise<void> {
  const hook = await api.call<HookRow>('PATCH', hookPath(id), change);
  show(api, hook, () => `${word} ${line(hook)}`);
}

function tableOf(rows: readonly HookRow[]): string {
  const lines = rows.map((row) => [
    row.id,
    row.source,
    row.event ?? '*',
    row.handler,
    row.enabled === false ? 'no' : 'yes',
    row.config.url,
    row.disabled_reason,
  ]);
  const heads = ['ID', 'SOURCE', 'EVENT', 'HANDLER', 'ON', 'TARGET'];
  // The last column is there for those that the dispatcher has switched off.
  return rows.some((row) => row.disabled_reason !== undefined)
    ? table([...heads, 'WHY OFF'], lines)
    : table(
        heads,
        lines.map((cells) => cells.slice(0, heads.length)),
      );
}
