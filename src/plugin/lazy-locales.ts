/** zod's list of its languages, in this package's copy of zod or in a plugin's own. */
const listOfLocales = /\/zod\/v4\/locales\/index\.js$/;

/** One line of that list in zod 4: the function that gives a language, from a file beside the list. */
const line = /^export \{ default as ([A-Za-z_$][\w$]*) \} from "(\.\/[\w.-]+\.js)";$/;

export function isListOfLocales(url: string): boolean {
  return listOfLocales.test(url);
}

/**
 * The list as a module with the same exports, each of which reads its language's file when it is first called. Most of
 * zod's files are languages, and a plugin uses none or one of them. Null for a list that is written in another way
 * (another version of zod), which has to be used as it is.
 */
export function lazyLocales(source: string): string | null {
  const exported: string[] = [];
  for (const text of source.split('\n')) {
    if (text.trim() === '') continue;
    const [, name, file] = line.exec(text.trimEnd()) ?? [];
    if (name === undefined || file === undefined) return null;
    exported.push(`export function ${name}(...args) { return require("${file}").default(...args); }`);
  }
  return [
    'import { createRequire } from "node:module";',
    'const require = createRequire(import.meta.url);',
    ...exported,
    '',
  ].join('\n');
}
