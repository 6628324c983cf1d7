import { spawnSync } from 'node:child_process';
import { KongTsError, messageOf } from '../base/errors.ts';

/** What Node calls the reasons for which a plugin file does not load, and how to mend each. */
const fixes: Record<string, string> = {
  ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING:
    'Node runs no TypeScript below node_modules: publish the package as JavaScript, or keep the plugin outside.',
  ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX:
    'Node runs TypeScript by taking the types out: use a const object in place of enum and namespace, and assign fields in place of parameter properties.',
  ERR_INVALID_TYPESCRIPT_SYNTAX: 'Correct the syntax of the file.',
  ERR_MODULE_NOT_FOUND: 'Install the missing package beside the plugin, or correct the path of the import.',
  MODULE_NOT_FOUND: 'Install the missing package beside the plugin, or correct the path of the import.',
  ERR_PACKAGE_PATH_NOT_EXPORTED: 'Import something that the package exports.',
  ERR_UNKNOWN_FILE_EXTENSION: 'A plugin is a .ts, .mts, .cts, .js, .mjs or .cjs file.',
};

/** An error for a plugin file that threw while it was loaded: the file, the reason, the fix. */
export function loadError(file: string, thrown: unknown): KongTsError {
  if (KongTsError.is(thrown)) {
    // definePlugin does not know in which file it is called.
    const text = `The plugin ${file} cannot be loaded: ${thrown.message}`;
    return thrown.message.includes(file) ? thrown : new KongTsError(thrown.code, text, { cause: thrown });
  }
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  const syntax = thrown instanceof SyntaxError;
  const reason = firstLine(messageOf(thrown)).replace(/\.$/, '');
  const place = syntax ? (placeIn(thrown.stack ?? '') ?? checkedPlace(file)) : null;
  const helper = requiredIn(thrown);
  const where =
    place !== null && place.file !== file
      ? `${file} (in ${place.file}:${place.line})`
      : helper === null || helper === file
        ? file
        : `${file} (in ${helper})`;
  const fix =
    fixes[code] ??
    (syntax ? 'Correct the syntax of the file.' : 'Correct the code that runs when the file is imported.');
  return new KongTsError(
    'PLUGIN_LOAD_FAILED',
    `The plugin ${place?.file === file ? `${file}:${place.line}` : where} cannot be loaded: ` +
      `${syntax ? 'syntax error: ' : ''}${reason}.`,
    { cause: thrown, fix },
  );
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
  line: number;
}

/** Where a syntax error is: Node writes it above the error, as in `/folder/file.ts:12`. */
function placeIn(text: string): Place | null {
  const found = /^(?:file:\/\/)?(\/[^\n]*):(\d+)$/m.exec(text.split('\n', 3).join('\n'));
  return found?.[1] === undefined ? null : { file: decodeURI(found[1]), line: Number(found[2]) };
}

/** Node keeps the place of a syntax error in an ECMAScript module to itself; its --check tells. */
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
