import { readFileSync } from 'node:fs';
import { KongTsError, messageOf } from '../../base/errors.ts';
import { readText } from '../../base/read-text.ts';
import type { FormField, JsonSchema } from '../../event-hooks/admin/index.ts';
import { parseForm, FormFields } from '../../event-hooks/admin/index.ts';

const name: JsonSchema = { type: 'string' };
/** The fields of an event: source and event are text. Nothing declares what the others are. */
export const eventFields = new FormFields(new Map([['', { properties: { source: name, event: name } }]]));

/** Fields from the command line as the Admin API's form bodies have them, or a JSON document. */
export function readFields(pairs: string[], file: string | undefined, fields: FormFields): unknown {
  if (file !== undefined) {
    try {
      return JSON.parse(file === '-' ? readFileSync(0, 'utf8') : readText(file));
    } catch (error) {
      throw new KongTsError('FILE_UNREADABLE', `${file} is not readable JSON: ${messageOf(error)}.`, {
        cause: error,
      });
    }
  }
  const named = pairs.map((pair): [string, string] => {
    const at = pair.indexOf('=');
    if (at < 1)
      throw new KongTsError('USAGE', `"${pair}" is not name=value.`, {
        fix: 'Fields look like source=crud or config.url=https://example.com/hook.',
      });
    return [pair.slice(0, at), pair.slice(at + 1)];
  });
  return parseForm(named, fields, convert);
}

/** @throws KongTsError USAGE */
export function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && Number.isSafeInteger(value)) return value;
  throw new KongTsError('USAGE', `${option} needs a whole number from 1, not "${text}".`);
}

/** Text stays text, with one exception: a word or number of JSON in a field that is not declared as text. */
function convert(field: FormField | undefined, text: string): unknown {
  if (field?.type === 'text') return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
