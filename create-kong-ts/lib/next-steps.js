import { needsOwnNode } from './node-version.js';

/** What stands on the terminal after the files were written. */
export function nextSteps(folder, template, { plugin }, { written, kept }) {
  const file = template.file.replaceAll('__plugin__', plugin);
  const enter =
    folder === '.'
      ? ''
      : `  cd ${/^[\w./-]+$/.test(folder) ? folder : `'${folder.replaceAll("'", `'\\''`)}'`}\n`;
  const own = needsOwnNode()
    ? `\nThis is Node ${process.versions.node}, and kong-ts needs 22.19: the project gets a Node 24 of its own, which npm scripts\nuse. npm install notes that the machine's is older (EBADENGINE); nothing has to be done about it.\n`
    : '';
  return `${listed(written, kept)}${manifestHint(kept)}${own}
Next:

${enter}  npm install
  npm run dev       the plugin behind a gateway, with a line for each request
  npm test          its tests
  npm run check     types and lint

The plugin is ${file}. AGENTS.md and README.md say how to go on.
`;
}

function listed(written, kept) {
  const say = (what, files) =>
    files.length === 0 ? '' : `${what}\n${files.map((file) => `  ${file}\n`).join('')}`;
  return say('Written:', written) + say('Kept as they were:', kept);
}

function manifestHint(kept) {
  if (!kept.includes('package.json')) return '';
  return `
package.json was there. The project needs this in it:

  npm pkg set type=module scripts.dev="kong-ts dev" scripts.test='node --test "test/*.test.ts"' scripts.check="tsc --noEmit && eslint ."
  npm install --save-dev typescript@6.0 eslint @eslint/js typescript-eslint @types/node@24
`;
}
