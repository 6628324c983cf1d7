import type { SentRequest } from '../api/types.ts';

/** A word of a POSIX shell that stands for exactly this text. */
export const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

/** What curl adds by itself, or would be told twice. */
const left = new Set(['host', 'content-length', 'connection', 'transfer-encoding']);

/**
 * The command that makes a request again. Secrets are masked in what was recorded, and so they are here.
 * @param body null: without one
 */
export function curlOf(
  { method, url, headers }: Pick<SentRequest, 'method' | 'url' | 'headers'>,
  body: string | null,
): string {
  // curl would take brackets for a range, or for a choice.
  const curl = /[[\]{}]/.test(url) ? 'curl --globoff' : 'curl';
  const parts = [`${curl} -X ${shellWord(method)} ${shellWord(url)}`];
  for (const [name, value] of Object.entries(headers)) {
    // A name with a colon alone would take the header away.
    const line = value === '' ? `${name};` : `${name}: ${value}`;
    if (!left.has(name.toLowerCase())) parts.push(`-H ${shellWord(line)}`);
  }
  // --data would take a body that begins with @ for the name of a file.
  if (body !== null) parts.push(`--data-raw ${shellWord(body)}`);
  return parts.join(' \\\n  ');
}
