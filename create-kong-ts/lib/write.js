import { lstatSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { needsOwnNode } from './node-version.js';
import { Refusal } from './refusal.js';

/**
 * Writes the files of a project. It looks at all of them before it writes one, and never overwrites.
 *
 * @param {string} root the project's folder; made if it is not there
 * @param {string} folder of the templates
 * @param {import('./templates.js').Template} template
 * @param {import('./names.js').Names} names
 * @param {{ kongTs?: string, keep: boolean }} options `keep`: files that are there stay, and the others are written; else the
 *   project is refused
 * @returns {{ written: string[], kept: string[] }} paths in the project
 */
export function writeProject(root, folder, template, names, { kongTs, keep }) {
  if (statSync(root, { throwIfNoEntry: false })?.isDirectory() === false)
    throw new Refusal(`${root} is a file.`);
  const files = new Map([
    ...filesOf(join(folder, 'shared'), names, template),
    ...filesOf(join(folder, template.name), names, template),
  ]);
  files.set('package.json', packageJson(names, kongTs));
  for (const file of files.keys()) checkFolders(root, file);
  const there = [...files.keys()].filter((file) => entryAt(join(root, file)) !== undefined);
  if (there.length > 0 && !keep)
    throw new Refusal(
      `${root} has ${some(there)} already, and nothing is overwritten. Name another folder, or fill up that one with ` +
        'npx kong-ts init.',
    );
  const written = [...files.keys()].filter((file) => !there.includes(file));
  try {
    mkdirSync(root, { recursive: true });
    for (const file of written) write(join(root, file), files.get(file) ?? '');
  } catch (error) {
    throw new Refusal(`${root} cannot be written to: ${error.message}.`);
  }
  return { written, kept: there };
}

/** A link counts as what is there, wherever it leads. */
const entryAt = (file) => lstatSync(file, { throwIfNoEntry: false });

/** The folders of a file are folders of the project: a link may lead out of it. */
function checkFolders(root, file) {
  for (let folder = dirname(file); folder !== '.'; folder = dirname(folder)) {
    const entry = entryAt(join(root, folder));
    if (entry !== undefined && !entry.isDirectory())
      throw new Refusal(
        `${join(root, folder)} is ${entry.isSymbolicLink() ? 'a link' : 'a file'}, and the project needs a folder there. ` +
          'Nothing was written.',
      );
  }
}

const some = (files) =>
  files.length > 3 ? `${files.slice(0, 3).join(', ')} and ${files.length - 3} more files` : files.join(', ');

function write(file, text) {
  mkdirSync(dirname(file), { recursive: true });
  // A file that has come to be meanwhile is not overwritten either. Modes are those of the user's own umask.
  writeFileSync(file, text, { flag: 'wx', mode: 0o644 });
}

/**
 * The template's files with their names filled in. npm leaves out files such as .gitignore: `_` stands for the dot. A `_` at the end
 * keeps tools from taking a file for their own.
 */
function filesOf(folder, names, template) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const file = join(entry.parentPath ?? entry.path, entry.name);
      const name = relative(folder, file)
        .split(/[\\/]/)
        .map((part) => part.replace(/^_(?!_)/, '.').replace(/_$/, ''))
        .join('/');
      return [fill(name, names, template), fill(readFileSync(file, 'utf8'), names, template)];
    });
}

function fill(text, { plugin }, { file }) {
  return text
    .replaceAll('__file__', file)
    .replaceAll('__plugin__', plugin)
    .replaceAll('__PLUGIN__', plugin.toUpperCase().replaceAll('-', '_'));
}

/** What `package.json` has. Versions of the tools: lib/versions.json. */
function packageJson({ project }, kongTs) {
  const { kongTs: own, tools } = JSON.parse(
    readFileSync(fileURLToPath(new URL('versions.json', import.meta.url)), 'utf8'),
  );
  const node = needsOwnNode() ? { node: '^24.0.0' } : {};
  const manifest = {
    name: project,
    version: '1.0.0',
    private: true,
    type: 'module',
    scripts: {
      dev: 'kong-ts dev',
      test: 'node --test "test/*.test.ts"',
      check: 'tsc --noEmit && eslint .',
      build: 'tsc -p tsconfig.build.json',
    },
    // One that brings its own Node runs on any.
    ...(needsOwnNode() ? {} : { engines: { node: '>=22.19' } }),
    dependencies: { 'kong-ts': kongTs ?? own },
    devDependencies: Object.fromEntries(
      Object.entries({ ...tools, ...node }).sort(([a], [b]) => (a < b ? -1 : 1)),
    ),
    // protobufjs only prints something when it is installed; node fetches the Node that the scripts run with.
    allowScripts: { protobufjs: false, ...(needsOwnNode() ? { node: true } : {}) },
  };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}
