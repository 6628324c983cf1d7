import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** The versions of TypeScript, beside this project's own, that plugins of the README have to compile under. */
export const typescriptVersions = ['5.5', '5.6', '5.7', '5.8', '5.9', '7'] as const;

/** Runs a command in a folder. @throws Error with what it printed where it fails */
type Run = (command: string, args: readonly string[], cwd: string) => string;

/**
 * Compiles the README's plugins, in a project that has the package installed, with each version of TypeScript.
 * @param readme file with the README
 * @param app the project; what is compiled goes to a folder in it
 * @throws Error with the compiler's messages
 */
export function compileReadme(run: Run, readme: string, app: string, compilerOptions: object): void {
  const files = pluginsOf(readFileSync(readme, 'utf8'));
  if (files.size === 0) throw new Error('The README has no plugins.');
  const project = path.join(app, 'readme');
  mkdirSync(project);
  for (const [name, text] of files) writeFileSync(path.join(project, name), text);
  writeFileSync(path.join(project, 'package.json'), '{ "type": "module" }\n');
  writeFileSync(
    path.join(project, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, files: [...files.keys()] }),
  );
  for (const version of typescriptVersions) {
    const folder = path.join(app, `typescript-${version}`);
    mkdirSync(folder);
    writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
    run('npm', ['install', '--silent', '--no-audit', '--no-fund', `typescript@${version}`], folder);
    run(path.join(folder, 'node_modules', '.bin', 'tsc'), ['-p', '.'], project);
  }
}

/** The README's blocks of TypeScript that say their file's name and define a plugin, by that name. */
function pluginsOf(readme: string): Map<string, string> {
  const blocks = [...readme.matchAll(/^```ts\n\/\/ ([\w-]+\.ts)\n([\s\S]*?)^```$/gm)];
  const plugins = blocks.filter(([, , text]) => text?.includes('definePlugin'));
  return new Map(plugins.map(([, name, text]) => [name ?? '', text ?? '']));
}
