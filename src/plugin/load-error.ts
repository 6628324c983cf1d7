import { KongTsError, messageOf } from '../errors.ts';

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
  if (KongTsError.is(thrown)) return thrown;
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  const syntax = thrown instanceof SyntaxError;
  const reason = syntax ? `syntax error: ${firstLine(thrown.message)}` : firstLine(messageOf(thrown));
  const place = syntax ? placeOf(thrown) : null;
  const fix =
    fixes[code] ??
    (syntax ? 'Correct the syntax of the file.' : 'Correct the code that runs when the file is imported.');
  return new KongTsError(
    'PLUGIN_LOAD_FAILED',
    `The plugin ${place === null ? file : `${file}:${place}`} cannot be loaded: ${reason.replace(/\.$/, '')}.`,
    { cause: thrown, fix },
  );
}

/** The line of a syntax error in the file itself: V8 writes it as the first line of the stack. */
function placeOf(error: Error): string | null {
  return /^(?:file:\/\/)?\/[^\n]*:(\d+)\n/.exec(error.stack ?? '')?.[1] ?? null;
}

function firstLine(text: string): string {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return lines[0] ?? 'no message';
}
