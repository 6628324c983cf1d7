import { inspect } from 'node:util';
import type { Palette, Paint } from './colour.ts';
import { printable, printableLine } from './printable.ts';
import { excerptNamedIn, readableStack } from './stack.ts';

/** Kong's levels. */
const levels = ['debug', 'info', 'notice', 'warn', 'error', 'crit', 'alert', 'emerg'] as const;
type Level = (typeof levels)[number];

/** A line of the log as it is written in JSON. */
export interface LogRecord {
  readonly level: Level;
  readonly time: Date;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Fields that the message has already, or that mean nothing to a reader at a terminal. */
const leftOut = new Set(['stack', 'pid', 'worker', 'instance', 'component']);

/** Longest value of a field, in characters. */
const longest = 300;

/**
 * Lines of the log for a terminal: time, level, message and fields, and below an error the author's frame with its source.
 *
 * @param folder that paths are shown from
 */
export function prettyLines(record: LogRecord, paint: Palette, folder: string): string {
  const { level, time, message, fields } = record;
  const { stack, reason, ...rest } = fields;
  const shown = Object.entries(rest).filter(([name]) => !leftOut.has(name) && !isSaid(rest[name], message));
  const pairs = shown.map(([name, value]) => `${paint.dim(`${printableLine(name)}=`)}${valueText(value)}`);
  const head = [
    paint.dim(clock(time)),
    levelWord(level, paint),
    printable(message).replaceAll('\n', '\n  '),
    ...pairs,
  ];
  const below = [
    ...(typeof reason === 'string' && !message.includes(reason) ? printable(reason).split('\n') : []),
    ...(typeof stack === 'string'
      ? readableStack(stack, folder, paint)
      : typeof reason === 'string'
        ? excerptNamedIn(reason, paint)
        : []),
  ];
  return [head.join(' '), ...below.map((line) => `  ${line}`)].map((line) => `${line}\n`).join('');
}

/** A line of JSON, as a process of ours writes it; null for text of somebody else. */
export function recordOf(line: string): LogRecord | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return null;
  const { level, time, message, ...fields } = parsed as Record<string, unknown>;
  const known = levels.find((each) => each === level);
  if (known === undefined || typeof message !== 'string') return null;
  const at = new Date(typeof time === 'string' ? time : Number.NaN);
  return { level: known, time: Number.isNaN(at.getTime()) ? new Date() : at, message, fields };
}

function clock(time: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':');
}

function levelWord(level: Level, paint: Palette): string {
  const styles: Partial<Record<Level, Paint>> = {
    debug: paint.dim,
    info: paint.dim,
    notice: paint.cyan,
    warn: paint.yellow,
  };
  return (styles[level] ?? paint.red)(level.padEnd(6));
}

/** The message names the plugin and the phase most often. */
function isSaid(value: unknown, message: string): boolean {
  return typeof value === 'string' && value !== '' && message.includes(value);
}

function valueText(value: unknown): string {
  const text =
    typeof value === 'string'
      ? value
      : Array.isArray(value) && value.every((each) => typeof each === 'string')
        ? value.join(', ')
        : inspect(value, { breakLength: Infinity, depth: 3 });
  const line = printableLine(text);
  return line.length > longest ? `${line.slice(0, longest)}...` : line;
}
