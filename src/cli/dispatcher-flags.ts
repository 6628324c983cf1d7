import { Option } from 'commander';
import type { Command } from 'commander';
import type { Command as DispatcherCommand, Flag } from '../event-hooks/serve/index.ts';
import { flagName, flags, helpText } from '../event-hooks/serve/index.ts';

/** Adds the options of the event hook dispatcher to a command, from their rows. */
export function addDispatcherFlags(command: Command, name: DispatcherCommand): void {
  const words = new Map<string, string[]>();
  for (const row of flags) {
    const flag = flagName(row, name);
    if (flag === null) continue;
    const { inServer } = row;
    if (name === 'serve' && typeof inServer === 'object' && inServer !== null) {
      words.set(flag, [...(words.get(flag) ?? []), inServer.word]);
    } else command.addOption(optionOf(row, flag, helpText(row, name)));
  }
  for (const [flag, choices] of words) {
    const help = 'let webhooks go to addresses of this machine or of private networks';
    command.addOption(new Option(`--${flag} <range...>`, help).choices(choices));
  }
}

/** The options that were given, by the names of their flags. */
export function dispatcherFlags(command: Command, name: DispatcherCommand): Record<string, unknown> {
  const given = command.opts<Record<string, unknown>>();
  const names = flags.map((row) => flagName(row, name)).filter((flag) => flag !== null);
  return Object.fromEntries(names.map((flag) => [flag, given[attributeName(flag)]]));
}

const attributeName = (flag: string): string =>
  flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

function optionOf({ type }: Flag, flag: string, help: string): Option {
  if (type === 'switch') return new Option(`--${flag}`, help);
  const option = new Option(`--${flag} <${type === 'file' ? 'file' : 'value'}>`, help);
  if (type !== 'list') return option;
  return option
    .default([], 'none')
    .argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]);
}
