import { existsSync, readFileSync } from 'node:fs';

/** Whether this code runs from a checkout's sources (type stripping) and not from the published `dist`. */
export const runsFromSource: boolean = import.meta.url.endsWith('.ts');

/**
 * A module of the package as this run has it: for threads and processes, whose files no import statement names.
 * @param file its place without an extension, seen from `from`: `./main`
 * @param from `import.meta.url` of the module that names it
 */
export function ownModule(file: string, from: string): URL {
  return new URL(`${file}.${runsFromSource ? 'ts' : 'js'}`, from);
}

/** The folder that holds package.json, as a file URL that ends with a slash. */
export const packageRoot: URL = new URL(runsFromSource ? '../../' : '../../../', import.meta.url);

/** The package's version, as in its package.json. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('package.json', packageRoot), 'utf8')) as {
    version: string;
  };
  return version;
}

/** The file of a plugin that comes with the package (`http-log-enterprise`), null when there is none of that name. */
export function bundledPlugin(name: string): URL | null {
  if (!/^[a-z0-9][a-z0-9-]*$/.test(name)) return null;
  const url = new URL(
    runsFromSource ? `plugins/${name}/index.ts` : `dist/plugins/${name}/index.js`,
    packageRoot,
  );
  return existsSync(url) ? url : null;
}
