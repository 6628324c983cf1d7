import { basename, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ask } from './ask.js';
import { Refusal } from './refusal.js';
import { checkNames, pluginNameOf } from './names.js';
import { nextSteps } from './next-steps.js';
import { findTemplate, templates as all } from './templates.js';
import { writeProject } from './write.js';

const options = /** @type {const} */ ({
  template: { type: 'string', short: 't' },
  name: { type: 'string', short: 'n' },
  'kong-ts': { type: 'string' },
  help: { type: 'boolean', short: 'h' },
});

/**
 * One command line. Prints what was written and what to do next.
 *
 * @param {readonly string[]} argv without `node` and the script's path
 * @param {{ command: string, templates: string, here?: boolean }} setting how it was called; where the templates lie; whether
 *   the folder is the present one if none is named
 * @returns {Promise<number>} the exit status: 0, 1 when nothing was written, 2 for a command line that is not understood
 */
export async function main(argv, setting) {
  try {
    const { values, positionals } = parse(argv);
    if (values.help === true) {
      process.stdout.write(help(setting));
      return 0;
    }
    const [folder, ...more] = positionals;
    if (more.length > 0) throw new Refusal(`One folder, please: "${more.join(' ')}" is one too many.`, 2);
    const wanted = await complete({ folder, template: values.template, name: values.name }, setting);
    const template = findTemplate(wanted.template);
    const root = resolve(wanted.folder);
    const names = checkNames(root, wanted.name ?? pluginNameOf(basename(root)));
    const written = writeProject(root, setting.templates, template, names, {
      kongTs: values['kong-ts'],
      keep: setting.here === true,
    });
    const shown = relative(process.cwd(), root) || '.';
    process.stdout.write(nextSteps(shown, template, names, written));
    return 0;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    process.stderr.write(`${setting.command}: ${error.message}\n`);
    return error.status;
  }
}

/** Who names a folder, a template or a plugin is asked nothing. */
async function complete({ folder, template, name }, setting) {
  const named = folder !== undefined || template !== undefined || name !== undefined;
  if (!named && process.stdin.isTTY && process.stdout.isTTY) return ask(setting);
  if (folder === undefined && setting.here !== true)
    throw new Refusal(`Name the folder of the project: ${setting.command} my-plugin`, 2);
  return { folder: folder ?? '.', template: template ?? 'plain', name };
}

function parse(argv) {
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true });
  } catch (error) {
    throw new Refusal(`${error.message.replace(/\. To specify.*$/s, '.')} See --help.`, 2);
  }
}

function help({ command, here }) {
  const width = Math.max(...all.map(({ name }) => name.length)) + 2;
  return `Usage: ${command} ${here === true ? '[folder]' : '<folder>'} [options]

Begins a project with a TypeScript plugin for Kong Gateway. It never overwrites a file.
Without a name on a terminal, it asks.${here === true ? '' : ` npm passes options on behind --:\n\n  ${command} my-plugin -- --template state`}

Options:
  -t, --template NAME   one of the templates below (plain)
  -n, --name NAME       the plugin's name in Kong (the folder's name)
      --kong-ts SPEC    another kong-ts than the one of this version: a version, a tarball, a folder
  -h, --help

Templates:
${all.map(({ name, about }) => `  ${name.padEnd(width)}${about}`).join('\n')}
`;
}
