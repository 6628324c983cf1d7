import { printable, printableJson } from '../../terminal/index.ts';
import type { HooksApi } from './api.ts';

export const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

/** Prints an answer: as JSON where that was asked for, else as text for a reader. What answers may be anybody. */
export function show(api: HooksApi, value: unknown, text: () => string): void {
  print(api.json ? printableJson(value) : printable(text()));
}

/** The path of a hook, by its id. */
export const hookPath = (id: string): string => `/event-hooks/${encodeURIComponent(id)}`;
