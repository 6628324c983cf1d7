import { spawnSync } from 'node:child_process';
import { KongTsError, messageOf } from '../base/errors.ts';
import { authorFrame } from '../terminal/index.ts';
import { hintFor } from './load-hints.ts';

/** An error for a plugin file that threw while it was loaded: the file, the reason, the fix. */
export function loadError(file: string, thrown: unknown): KongTsError {
  if (KongTsError.is(thrown)) {
    // definePlugin does not know in which file it is called.
    const text = `The plugin ${file} cannot be loaded: ${thrown.message}`;
    return thrown.message.includes(file) ? thrown : new KongTsError(thrown.code, text, { cause: thrown });
  }
  const syntax = thrown instanceof SyntaxError;
  const reason = firstLine(messageOf(thrown)).replace(/\.$/, '');
  const place = placeOf(file, thrown);
  const where = place.line === null ? place.file : `${place.file}:${place.line}`;
  return new KongTsError(
    'PLUGIN_LOAD_FAILED',
    `The plugin ${place.file === file ? where : `${file} (in ${where})`} cannot be loaded: ` +
      `${syntax ? 'syntax error: ' : ''}${reason}.`,
    { cause: thrown, fix: hintFor(place.file, thrown) },
  );
}

/** The place of the error: the plugin's file, unless the error names another one. */
function placeOf(file: string, thrown: unknown): { file: string; line: string | null } {
  if (thrown instanceof SyntaxError) {
    return placeIn(thrown.stack ?? '') ?? checkedPlace(file) ?? { file, line: null };
  }
  const helper = requiredIn(thrown);
  if (helper !== null) return { file: helper, line: null };
  const frame = thrown instanceof Error ? authorFrame(thrown.stack) : null;
  return frame === null ? { file, line: null } : { file: frame.file, line: String(frame.line) };
}

/** The file whose require() found nothing. */
function requiredIn(thrown: unknown): string | null {
  if (!(thrown instanceof Error) || !('requireStack' in thrown) || !Array.isArray(thrown.requireStack))
    return null;
  const [first] = thrown.requireStack as unknown[];
  return typeof first === 'string' ? first : null;
}

interface Place {
  file: string;
  line: string;
}

/** The place of a syntax error. Node writes it above the error, as in `/folder/file.ts:12`. */
function placeIn(text: string): Place | null {
  const found = /^(?:file:\/\/)?(\/[^\n]*):(\d+)$/m.exec(text.split('\n', 3).join('\n'));
  return found?.[1] === undefined ? null : { file: decodeURI(found[1]), line: found[2] ?? '' };
}

/** Node does not tell the place of a syntax error in an ECMAScript module, but `node --check` does. */
function checkedPlace(file: string): Place | null {
  const { stderr } = spawnSync(process.execPath, ['--check', file], { encoding: 'utf8', timeout: 5000 });
  return placeIn(stderr);
}

function firstLine(text: string): string {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return lines[0] ?? 'no message';
}
