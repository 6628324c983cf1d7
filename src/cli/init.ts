import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { packageRoot } from '../base/package.ts';

/** What `create-kong-ts/lib/main.js` exports: plain JavaScript, which runs on older Nodes. */
interface CreateModule {
  readonly main: (
    argv: readonly string[],
    setting: { command: string; templates: string; here: boolean },
  ) => Promise<number>;
}

const folder = new URL('create-kong-ts/', packageRoot);

/** `kong-ts init`: the same as `npm create kong-ts`, in the present folder. */
export function build(): Command {
  return new Command('init').argument('[words...]').action(async (words: string[]) => {
    // Files of a project are the person's, and others may read them.
    process.umask(0o022);
    const { main } = (await import(new URL('lib/main.js', folder).href)) as CreateModule;
    const templates = fileURLToPath(new URL('templates', folder));
    process.exitCode = await main(words, { command: 'kong-ts init', templates, here: true });
  });
}

/** Its options are those of `npm create kong-ts`, which reads them itself. */
export const normalise = (argv: readonly string[]): string[] => ['--', ...argv];
