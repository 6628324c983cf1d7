import { createInterface } from 'node:readline/promises';
import { Refusal } from './refusal.js';
import { templates } from './templates.js';

/**
 * Asks a person at a terminal for what the command line has not said.
 *
 * @param {{ here?: boolean }} setting
 * @param {{ input: NodeJS.ReadableStream, output: NodeJS.WritableStream }} [terminal]
 */
export async function ask({ here }, { input, output } = { input: process.stdin, output: process.stdout }) {
  const terminal = createInterface({ input, output });
  // Ctrl-C and Ctrl-D: a question would wait for ever.
  const closed = new Promise((_, reject) => {
    const leave = () => reject(new Refusal('nothing was written.', 130));
    terminal.on('SIGINT', leave);
    terminal.once('close', leave);
  });
  closed.catch(() => undefined);
  const question = async (text) => {
    const answer = await Promise.race([terminal.question(text), closed]);
    return answer.trim();
  };
  const usual = here === true ? '.' : 'my-plugin';
  const folder = (await question(`Folder of the project (${usual}): `)) || usual;
  output.write('\n');
  templates.forEach(({ name, about }, index) =>
    output.write(`  ${index + 1}  ${name.padEnd(12)} ${about}\n`),
  );
  for (;;) {
    const answer = (await question('\nTemplate (1): ')) || '1';
    const found = templates[Number(answer) - 1] ?? templates.find(({ name }) => name === answer);
    if (found === undefined) {
      output.write(`"${answer}" is none of them: a number from 1 to ${templates.length}, or a name.\n`);
      continue;
    }
    terminal.removeAllListeners('close');
    terminal.close();
    output.write('\n');
    return { folder, template: found.name, name: undefined };
  }
}
