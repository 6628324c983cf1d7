import type { InstanceRecord } from '../ipc/messages.ts';

/** What a line of the file says: an instance was started, or closed. */
export type Entry =
  | { readonly record: InstanceRecord; readonly closed: null }
  | { readonly record: null; readonly closed: number };

const largestId = 2 ** 31 - 1;
const longestName = 256;

/** A line, with a line end before it, too: there, an unfinished line of a killed process ends. */
export function recordLine({ id, name, config, startedAt }: InstanceRecord): string {
  return `\n${JSON.stringify({ id, name, at: startedAt, config: Buffer.from(config).toString('base64') })}\n`;
}

export function closedLine(id: number): string {
  return `\n${JSON.stringify({ id, closed: true })}\n`;
}

/** Null for a line that says nothing: empty, unfinished, or not written by this. */
export function readLine(line: string): Entry | null {
  if (line === '') return null;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { id, name, at, config, closed } = value as Record<string, unknown>;
  if (!isWhole(id) || id < 1 || id > largestId) return null;
  if (closed === true) return { record: null, closed: id };
  if (typeof name !== 'string' || name === '' || name.length > longestName) return null;
  if (!isWhole(at) || at < 0 || typeof config !== 'string') return null;
  const bytes = Buffer.from(config, 'base64');
  if (bytes.toString('base64') !== config) return null;
  return { record: { id, name, config: bytes, startedAt: at }, closed: null };
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value);
}
