import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { llmsPath, llmsText } from '../../scripts/generate-llms.ts';
import { withFiles } from '../../scripts/include-files.ts';
import { pages, sections } from '../../src/cli/docs/pages.ts';
import { anchorsOf, codeBlocks, documentationPages, proseOf } from '../support/documentation.ts';

const root = new URL('../../', import.meta.url);
const remedy = 'run `npm run docs`';
const texts = new Map(
  [...documentationPages(root), 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'].map((file) => [
    file,
    readFileSync(new URL(file, root), 'utf8'),
  ]),
);

describe('the documentation', () => {
  it.each([...texts.keys()])('%s links to files and headings that exist', (file) => {
    const text = texts.get(file) ?? '';
    const links = [...proseOf(text).matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)].map(
      ([, link = '']) => link,
    );
    const broken = links.filter((link) => {
      const [target = '', anchor] = link.split('#');
      const to = target === '' ? file : path.join(path.dirname(file), target);
      if (!existsSync(new URL(to, root))) return true;
      return (
        anchor !== undefined &&
        to.endsWith('.md') &&
        !anchorsOf(readFileSync(new URL(to, root), 'utf8')).has(anchor)
      );
    });
    expect(broken).toEqual([]);
  });

  it('is listed once and whole, with a line about each page', () => {
    const topics = sections(root).flatMap((section) => Object.keys(section.topics));
    expect(new Set(topics).size).toBe(topics.length);
    for (const { topic, title, summary } of pages(root)) expect([topic, title, summary]).not.toContain('');
    const listed = pages(root).map(({ file }) => file);
    expect(listed.toSorted()).toEqual([...documentationPages(root), 'CHANGELOG.md'].toSorted());
  });

  it('is listed for programs in llms.txt', () => {
    expect(readFileSync(llmsPath, 'utf8'), remedy).toBe(llmsText());
  });

  it.each([...texts.keys()].filter((file) => texts.get(file)?.includes('<!-- file: ') === true))(
    '%s shows files as they are',
    async (file) => {
      expect(texts.get(file), remedy).toBe(await withFiles(texts.get(file) ?? ''));
    },
  );

  it('has JSON and YAML that can be read', () => {
    for (const file of texts.keys()) {
      for (const { language, text } of codeBlocks(new URL(file, root))) {
        if (language === 'json') expect(() => JSON.parse(text) as unknown, file).not.toThrow();
        if (language === 'yaml') expect(() => parseYaml(text) as unknown, file).not.toThrow();
      }
    }
  });

  it('names every recipe, and every recipe has a test', () => {
    const recipes = codeBlocks(new URL('docs/recipes.md', root)).map(({ file }) => file ?? '');
    expect(recipes.length).toBeGreaterThanOrEqual(12);
    const folder = fileURLToPath(new URL('examples/recipes/', root));
    for (const file of recipes)
      expect(existsSync(path.join(folder, file.replace('.ts', '.test.ts')))).toBe(true);
  });
});
