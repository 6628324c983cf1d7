import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** The versions of TypeScript, beside this project's own, that plugins have to compile under. */
export const typescriptVersions = ['5.5', '5.6', '5.7', '5.8', '5.9', '7'] as const;

/** Runs a command in a folder. @throws Error with what it printed where it fails */
type Run = (command: string, args: readonly string[], cwd: string) => string;

/**
 * Compiles the README's plugins, the examples and the templates of new projects, in a project that has the package installed, with
 * each version of TypeScript.
 * @param root of this project
 * @param app the project; what is compiled goes to folders in it
 * @throws Error with the compiler's messages
 */
export function compilePlugins(run: Run, root: string, app: string, compilerOptions: object): void {
  const readme = path.join(app, 'readme');
  mkdirSync(readme);
  const files = pluginsOf(readFileSync(path.join(root, 'README.md'), 'utf8'));
  if (files.size === 0) throw new Error('The README has no plugins.');
  for (const [name, text] of files) writeFileSync(path.join(readme, name), text);
  copySources(path.join(root, 'examples'), path.join(app, 'examples'));
  copySources(path.join(root, 'create-kong-ts', 'templates'), path.join(app, 'templates'));
  const options = { ...compilerOptions, allowImportingTsExtensions: true };
  writeFileSync(
    path.join(app, 'tsconfig.versions.json'),
    JSON.stringify({ compilerOptions: options, include: ['readme', 'examples', 'templates'] }),
  );
  for (const version of typescriptVersions) {
    const folder = path.join(app, `typescript-${version}`);
    mkdirSync(folder);
    writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
    run('npm', ['install', '--silent', '--no-audit', '--no-fund', `typescript@${version}`], folder);
    run(path.join(folder, 'node_modules', '.bin', 'tsc'), ['-p', 'tsconfig.versions.json'], app);
    rmSync(folder, { recursive: true });
  }
}

/**
 * Compiles a module that imports every entry point, with the declarations of all packages looked at (`skipLibCheck: false`), where
 * testcontainers is not installed.
 */
export function compileDeclarations(
  run: Run,
  tsc: string,
  app: string,
  compilerOptions: object,
  entries: readonly string[],
): void {
  const imports = entries.map((entry) => `import ${JSON.stringify(path.posix.join('kong-ts', entry))};\n`);
  writeFileSync(path.join(app, 'every-entry.ts'), imports.join(''));
  writeFileSync(
    path.join(app, 'tsconfig.declarations.json'),
    JSON.stringify({
      compilerOptions: { ...compilerOptions, skipLibCheck: false },
      files: ['every-entry.ts'],
    }),
  );
  run(tsc, ['-p', 'tsconfig.declarations.json'], app);
}

function copySources(from: string, to: string): void {
  cpSync(from, to, { recursive: true, filter: (file) => !/tsconfig\S*\.json$|node_modules/.test(file) });
}

/** The README's blocks of TypeScript that say their file's name and define a plugin, by that name. */
function pluginsOf(readme: string): Map<string, string> {
  const blocks = [...readme.matchAll(/^```ts\n\/\/ ([\w-]+\.ts)\n([\s\S]*?)^```$/gm)];
  const plugins = blocks.filter(([, , text]) => text?.includes('definePlugin'));
  return new Map(plugins.map(([, name, text]) => [name ?? '', text ?? '']));
}
