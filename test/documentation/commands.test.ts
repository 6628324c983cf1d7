import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { codeBlocks, documentationPages } from '../support/documentation.ts';
import { shellCommands } from '../support/shell.ts';
import type { ShellCommand } from '../support/shell.ts';

const root = new URL('../../', import.meta.url);
const manifest = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
  scripts: Record<string, string>;
};

/** Every command of a page, with the inline ones (`npx kong-ts ...`) that are whole. */
function commandsOf(file: string): ShellCommand[] {
  const blocks = codeBlocks(new URL(file, root)).filter(({ language }) => language === 'sh');
  return blocks.flatMap(({ text }) => shellCommands(text));
}

/** Understands a command line as the command does, and does nothing. */
async function understand([name = '', ...words]: ShellCommand): Promise<void> {
  const place = new URL(`src/cli/${name}.ts`, root);
  if (!existsSync(place)) throw new Error(`kong-ts has no command ${name}`);
  const module = (await import(place.href)) as { build: () => Command };
  const command = module.build();
  const idle = (one: Command): void => {
    one.exitOverride().configureOutput({ outputError: () => undefined, writeErr: () => undefined });
    if (one.commands.length === 0) one.action(() => undefined);
    one.commands.forEach(idle);
  };
  idle(command);
  await command.parseAsync([...words], { from: 'user' });
}

/** What is wrong with a command of ours, null if nothing is. Programs of others are theirs. */
async function problemOf(command: ShellCommand): Promise<string | null> {
  const words = command[0] === 'npx' ? command.slice(1) : command;
  const [program = '', ...rest] = words;
  try {
    if (program === 'kong-ts') await understand(rest);
    else if (program === 'node' && rest[0] === 'bin/kong-ts.js') await understand(rest.slice(1));
    else if (program === 'npm' && rest[0] === 'run' && manifest.scripts[rest[1] ?? ''] === undefined)
      return `package.json has no script ${rest[1] ?? ''}`;
    else if (
      program === 'node' &&
      rest[0]?.startsWith('scripts/') === true &&
      !existsSync(new URL(rest[0], root))
    )
      return `there is no ${rest[0]}`;
    else if (program.startsWith('scripts/') && !existsSync(path.join(fileURLToPath(root), program)))
      return `there is no ${program}`;
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

describe('commands of the documentation', () => {
  it.each([...documentationPages(root), 'CONTRIBUTING.md'])(
    '%s has commands that are understood',
    async (file) => {
      const problems = [];
      for (const command of commandsOf(file)) {
        const problem = await problemOf(command);
        if (problem !== null) problems.push([command.join(' '), problem]);
      }
      expect(problems).toEqual([]);
    },
  );

  it('would not pass with a command or an option that does not exist', async () => {
    expect(await problemOf(['npx', 'kong-ts', 'hooks', 'lst'])).toMatch(/unknown command/);
    expect(await problemOf(['kong-ts', 'serve', './a.ts', '--sokcet', '/x'])).toMatch(/unknown option/);
    expect(await problemOf(['kong-ts', 'serv'])).toMatch(/no command serv/);
    expect(await problemOf(['npm', 'run', 'nothing'])).toMatch(/no script/);
  });
});
