import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { codeBlocks } from '../support/documentation.ts';
import { freePort } from '../support/free-port.ts';
import { cliPath, runCli } from '../support/run-cli.ts';
import { root, run, userFolder } from '../testing/support.ts';

/** How long processes that will not succeed are waited for: a busy machine takes its time. */
const patienceMs = 240_000;

/** The pages' own commands and files, run as a reader would. They are processes, which is what takes their time. */
const { folder, remove } = userFolder();
const children: ChildProcess[] = [];
afterAll(async () => {
  for (const child of children.toReversed()) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  remove();
});

const blocksOf = (page: string) => codeBlocks(new URL(`../../${page}`, import.meta.url));

/** Puts the files that a page names into a folder of their own. */
function filesOf(page: string): { place: string; names: string[] } {
  const place = path.join(folder, path.basename(page, '.md'));
  mkdirSync(place);
  const named = blocksOf(page).flatMap(({ file, text }) => (file === null ? [] : [{ file, text }]));
  for (const { file, text } of named) writeFileSync(path.join(place, file), text);
  return { place, names: named.map(({ file }) => file) };
}

describe('the tests that pages show', () => {
  it(
    'pass under node --test',
    async () => {
      const pages = ['docs/testing.md', 'docs/debugging.md'].map(filesOf);
      const files = pages.flatMap(({ place, names }) =>
        names.filter((name) => name.endsWith('.test.ts')).map((name) => path.join(place, name)),
      );
      expect(files.length).toBe(4);
      const { status, output } = await run(folder, ['--test', ...files]);
      expect({ status, output }).toMatchObject({ status: 0 });
    },
    patienceMs,
  );
});

describe('the plugins that pages show', () => {
  it(
    'load, and Kong can be told of them',
    async () => {
      const written = filesOf('docs/write-a-plugin.md');
      const moved = filesOf('docs/migrating.md');
      // A file of kong-pdk is CommonJS.
      writeFileSync(path.join(moved.place, 'package.json'), '{}');
      writeFileSync(path.join(written.place, 'package.json'), '{"type":"module"}');
      const recipes = path.join(folder, 'recipes');
      cpSync(path.join(root, 'examples', 'recipes'), recipes, { recursive: true });
      const names = blocksOf('docs/recipes.md').map(({ file }) => path.join(recipes, file ?? ''));
      const all = [
        ...[written, moved].flatMap(({ place, names: own }) => own.map((name) => path.join(place, name))),
        ...names,
      ];
      cpSync(path.join(root, 'node_modules', 'graphql'), path.join(folder, 'node_modules', 'graphql'), {
        recursive: true,
      });
      const { status, stdout, stderr } = await runCli(['dump', ...all]);
      // That they stand in one document is a matter of this test, and Kong 3.9 is warned of it.
      const problems = stderr
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('kong-ts: warning: '));
      expect({ status, problems }).toEqual({ status: 0, problems: [] });
      const { Plugins: plugins } = JSON.parse(stdout) as { Plugins: unknown[] };
      expect(plugins.length).toBe(all.length);
    },
    patienceMs,
  );
});

describe("event hooks' quick start and the move from Kong Enterprise", () => {
  it(
    'work with the commands of the pages',
    async () => {
      const [api, target] = [String(await freePort()), String(await freePort())];
      const kongTs = `'${process.execPath}' '${cliPath}'`;
      const own = (page: string): string[] =>
        blocksOf(page)
          .filter(({ language }) => language === 'sh')
          .map(({ text }) =>
            text
              .trim()
              .replaceAll('npx kong-ts', kongTs)
              .replaceAll('node -e', `'${process.execPath}' -e`)
              .replaceAll(/(?:kong:8001|127\.0\.0\.1:8011)/g, `127.0.0.1:${api}`)
              .replaceAll('9000', target),
          );
      const [, serve = '', listen = '', create = '', post = ''] = own('docs/event-hooks.md');
      const [, exported = '', imported = ''] = own('docs/migrating.md');
      const text = { serve: '', listen: '' };
      const env = { ...process.env, KONG_TS_HOOKS_API: `http://127.0.0.1:${api}` };
      const start = (name: 'serve' | 'listen', line: string): void => {
        const child = spawn('/bin/sh', ['-c', `exec ${line}`], {
          cwd: folder,
          env,
          stdio: ['ignore', 'pipe', 'ignore'],
        });
        child.stdout.setEncoding('utf8').on('data', (piece: string) => (text[name] += piece));
        children.push(child);
      };
      const sh = async (line: string): Promise<string> => {
        const child = spawn('/bin/sh', ['-c', line], {
          cwd: folder,
          env,
          stdio: ['ignore', 'pipe', 'ignore'],
        });
        let output = '';
        child.stdout.setEncoding('utf8').on('data', (piece: string) => (output += piece));
        const [status] = (await once(child, 'close')) as [number];
        expect({ line, status }).toEqual({ line, status: 0 });
        return output;
      };
      start('serve', `${serve} --admin 127.0.0.1:${api}`);
      start('listen', listen);
      const patience = { timeout: 100_000, interval: 50 };
      await vi.waitFor(() => expect(text.serve).toContain('"ready":true'), patience);
      await vi.waitFor(() => expect(text.listen).toContain('Listening on'), patience);
      expect(await sh(create)).toMatch(/^Created /);
      await sh(post);
      await vi.waitFor(() => expect(text.listen).toContain('"alice"'), patience);
      expect(text.listen).not.toContain('NOT good');
      // The move: what one dispatcher shows is what another takes.
      await sh(exported);
      const [id = ''] = /[0-9a-f-]{36}/.exec(await sh(`${kongTs} hooks list`)) ?? [];
      await sh(`${kongTs} hooks delete ${id}`);
      expect(await sh(imported)).toContain(`Created ${id}`);
    },
    patienceMs,
  );
});
