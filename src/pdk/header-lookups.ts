import { isHeaderTable } from '../base/header-table.ts';
import type { HeaderTable, Line, Lines } from '../base/header-table.ts';
import type { LookupRule } from './catalogue.ts';

/**
 * What an answer with all headers says for a call that asks for one: the value as Kong gives it to that call, null for none,
 * undefined where the answer does not tell and the call has to be made.
 */
export type Found = (name: string) => string | null | undefined;

/**
 * Reads an answer with all headers, as either protocol decodes it, or a {@link HeaderTable} of which only what is asked for is
 * decoded.
 */
export type LookUp = (answer: unknown) => Found;

/** As many headers are in an answer at most; one that is full may lack some (measured on Kong 3.9.3). */
const most = 100;

const unknownToAll: Found = () => undefined;

const isLine = (value: unknown): value is Line => value === null || typeof value === 'string';
const isList = (lines: Lines | undefined): lines is readonly Line[] => Array.isArray(lines);

/**
 * kong.request.get_header: nginx's variable, which has the lines of all headers whose names differ in `-` and `_` only; where
 * it has a comma and a space in it, the first line of the table (read and measured on Kong 3.9.3). On Kong 3.4 and 3.5 the
 * variable is the answer, comma or not: the first line, but all of Cookie and X-Forwarded-For (read).
 */
function requestHeader(answer: unknown): Found {
  const table = tableOf(answer);
  if (table === null) return unknownToAll;
  const underscored = table.underscored.map((name) => name.replaceAll('_', '-'));
  return (asked) => {
    const name = asked.toLowerCase().replaceAll('_', '-');
    if (underscored.includes(name)) return undefined;
    const lines = table.lines(name) ?? null;
    if (!isList(lines)) return lines;
    if (name === 'cookie') return cookies(lines);
    return name === 'x-forwarded-for' && lines.length > 1 ? undefined : lines[0];
  };
}

/** Several lines are one variable, joined by semicolons; where a comma and a space are in it, versions of Kong differ. */
function cookies(lines: readonly Line[]): Line | undefined {
  if (lines.includes('') || lines.includes(null)) return undefined;
  const joined = lines.join('; ');
  return joined.includes(', ') ? undefined : joined;
}

/** kong.response.get_header: the table's entry of that name, else that of the name in lower case with dashes; its first line. */
function responseHeader(answer: unknown): Found {
  const table = tableOf(answer);
  if (table === null) return unknownToAll;
  return (asked) => {
    let lines = table.lines(asked);
    if (lines === undefined) lines = table.lines(asked.toLowerCase().replaceAll('_', '-')) ?? null;
    return isList(lines) ? lines[0] : lines;
  };
}

/** The headers of an answer; null for one that may lack some, or is none. */
function tableOf(answer: unknown): HeaderTable | null {
  const table = isHeaderTable(answer) ? answer : decodedTable(answer);
  return table !== null && table.count < most ? table : null;
}

function decodedTable(answer: unknown): HeaderTable | null {
  // Nothing at all is how an empty table arrives over ProtoBuf:1.
  const headers = (answer ?? {}) as Record<string, Lines>;
  if (typeof headers !== 'object') return null;
  let count = 0;
  for (const lines of Object.values(headers) as unknown[]) {
    if (isLine(lines)) count++;
    else if (Array.isArray(lines) && lines.length > 0 && lines.every(isLine)) count += lines.length;
    else return null;
  }
  const underscored = Object.keys(headers).filter((name) => name.includes('_'));
  const lines = (name: string): Lines | undefined =>
    Object.hasOwn(headers, name) ? headers[name] : undefined;
  return { count, underscored, lines };
}

/** The rules that the catalogue names. */
export const headerLookups: Readonly<Record<LookupRule, LookUp>> = { requestHeader, responseHeader };
