import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { codeBlocks } from '../support/documentation.ts';
import { run, userFolder } from './support.ts';

const page = new URL('../../docs/testing.md', import.meta.url);

describe('docs/testing.md', () => {
  const { folder, remove } = userFolder();
  const blocks = codeBlocks(page);
  for (const { file, text } of blocks) writeFileSync(path.join(folder, file ?? 'nameless'), text);
  afterAll(remove);

  it('has named code blocks only, so that each is run here', () => {
    expect(blocks.map(({ language, file }) => [language, file])).toEqual([
      ['ts', 'hello.ts'],
      ['ts', 'hello.test.ts'],
      ['ts', 'override.test.ts'],
      ['ts', 'server.test.ts'],
    ]);
  });

  it('has tests that pass', async () => {
    const { status, output } = await run(folder, ['--test', '--test-isolation=none']);
    expect({ status, output }).toMatchObject({
      status: 0,
      output: expect.stringMatching(/pass 5$/m) as string,
    });
  }, 60_000);

  it('links to what exists', () => {
    const links = [...readFileSync(page, 'utf8').matchAll(/\]\((?!https?:)([^)#]+)/g)].map(
      ([, link]) => link ?? '',
    );
    expect(links.filter((link) => !existsSync(new URL(link, page)))).toEqual([]);
  });
});
