import { statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ownModule, packageRoot } from '../base/package.ts';
import { readText } from '../base/read-text.ts';
import type { Palette } from './colour.ts';
import { printableLine } from './printable.ts';

/** Whose code a frame of a stack is in. */
export type Owner = 'author' | 'kong-ts' | 'node' | 'package';

export interface Frame {
  readonly owner: Owner;
  /** Absolute path; `node:fs` for Node's own. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** As V8 names it, null at the top of a module. */
  readonly name: string | null;
}

const ours = ['src/', 'dist/src/', 'bin/'].map((folder) => fileURLToPath(new URL(folder, packageRoot)));

/**
 * The most of a stack that is read, because a stranger may have written the message in it. A longer line is not a
 * frame. A longer message names no place. A larger file shows no source. In characters, characters and bytes.
 */
const longestFrame = 1024;
const longestMessage = 4096;
const largestSource = 16 * 1024 * 1024;

/** The frames behind this file belong to the program that loads plugins. */
const loader = fileURLToPath(ownModule('../plugin/loader', import.meta.url));

/**
 * The frames of `error.stack`, the innermost first. Lines that are not frames are left out, and so are the callers of
 * the loader of plugins.
 */
export function framesOf(stack: string): Frame[] {
  const frames = allFrames(stack);
  const behind = frames.findIndex(({ file }) => file === loader);
  return behind < 0 ? frames : frames.slice(0, behind + 1);
}

function allFrames(stack: string): Frame[] {
  return stack.split('\n').flatMap((text) => {
    if (text.length > longestFrame) return [];
    const found =
      /^\s+at (?:(?:async )?(.*?) \()?((?:file:\/\/|node:|\/|[A-Za-z]:\\).*?):(\d+):(\d+)\)?$/.exec(text);
    if (found === null) return [];
    const [, name = null, place = '', line, column] = found;
    const file = pathOf(place.replace(/^async /, ''));
    return [{ owner: ownerOf(file), file, line: Number(line), column: Number(column), name }];
  });
}

/** The frame that the author of a plugin wants to see: the innermost one of his own code. */
export function authorFrame(stack: string | undefined): Frame | null {
  return framesOf(stack ?? '').find(({ owner }) => owner === 'author') ?? null;
}

/** `lib/helper.ts:3:4`, relative where the file lies below the folder. */
export function placeOf({ file, line, column }: Frame, folder: string): string {
  const relative = path.relative(folder, file);
  const shown = relative.startsWith('..') || path.isAbsolute(relative) ? file : relative;
  return `${shown}:${String(line)}:${String(column)}`;
}

/**
 * A stack as a person reads it: the author's frame first, with its line of source; his other frames; one line for all frames of
 * kong-ts, Node and packages.
 *
 * @param folder that paths are shown from
 * @returns lines without an indent, none for a stack without frames
 */
export function readableStack(stack: string, folder: string, paint: Palette): string[] {
  const frames = framesOf(stack);
  const own = frames.filter(({ owner }) => owner === 'author');
  const [first, ...others] = own;
  const folded = frames.length - own.length;
  return [
    ...(first === undefined ? [] : [`at ${named(first, folder, paint.cyan)}`, ...excerptOf(first, paint)]),
    ...others.map((frame) => `at ${named(frame, folder, (text) => text)}`),
    ...(folded === 0 ? [] : [paint.dim(foldedText(frames))]),
  ];
}

function named(frame: Frame, folder: string, paint: (text: string) => string): string {
  const name = frame.name === null ? '' : ` in ${printableLine(frame.name)}`;
  return `${paint(printableLine(placeOf(frame, folder)))}${name}`;
}

function foldedText(frames: readonly Frame[]): string {
  const names = { author: '', 'kong-ts': 'kong-ts', node: 'Node', package: 'packages' };
  const others = frames.filter(({ owner }) => owner !== 'author');
  const owners = [...new Set(others.map(({ owner }) => names[owner]))];
  return `(${String(others.length)} frame${others.length === 1 ? '' : 's'} of ${owners.join(', ')})`;
}

/** Lines of source around the place that a message names (`/folder/file.ts:12`), as those of syntax errors do. */
export function excerptNamedIn(message: string, paint: Palette): string[] {
  const [, file, line] = /(\/[^\n:()]+\.[cm]?[jt]sx?):(\d+)/.exec(message.slice(0, longestMessage)) ?? [];
  return file === undefined ? [] : excerptOf({ file, line: Number(line), column: null }, paint);
}

/** Lines of source around a place, with a mark below the column; none where the file cannot be read. */
function excerptOf(
  { file, line, column }: { file: string; line: number; column: number | null },
  paint: Palette,
): string[] {
  let source: string[];
  try {
    // Reading a pipe could wait for ever.
    if (!statSync(file).isFile()) return [];
    source = readText(file, largestSource).split('\n');
  } catch {
    return [];
  }
  if (line > source.length) return [];
  const from = Math.max(1, line - 1);
  const to = Math.min(source.length, line + 1);
  const width = String(to).length;
  const lines: string[] = [];
  for (let each = from; each <= to; each++) {
    const text = printableLine((source[each - 1] ?? '').slice(0, 200).replaceAll('\t', ' '));
    const number = String(each).padStart(width);
    const row = `${each === line ? '>' : ' '} ${number} | ${text}`;
    lines.push(each === line ? row : paint.dim(row));
    if (each === line && column !== null && column <= 200)
      lines.push(`  ${' '.repeat(width)} | ${' '.repeat(column - 1)}${paint.red('^')}`);
  }
  return lines;
}

function pathOf(place: string): string {
  if (!place.startsWith('file:')) return place;
  try {
    return fileURLToPath(place.replace(/[?#].*$/, ''));
  } catch {
    return place;
  }
}

function ownerOf(file: string): Owner {
  if (file.startsWith('node:')) return 'node';
  if (ours.some((folder) => file.startsWith(folder))) return 'kong-ts';
  return file.split(/[\\/]/).includes('node_modules') ? 'package' : 'author';
}
