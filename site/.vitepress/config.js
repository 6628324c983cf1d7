import { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitepress';

const root = fileURLToPath(new URL('../..', import.meta.url));
const docs = path.join(root, 'docs');
const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const repository = manifest.repository?.url?.replace(/^git\+/, '').replace(/\.git$/, '') ?? null;

const written = JSON.parse(readFileSync(path.join(docs, 'contents.json'), 'utf8'));
const named = written.flatMap(({ topics }) => Object.keys(topics));
const more = readdirSync(docs)
  .filter((name) => name.endsWith('.md') && !named.includes(name.slice(0, -3)))
  .map((name) => name.slice(0, -3));
const sections =
  more.length === 0
    ? written
    : [...written, { section: 'More', topics: Object.fromEntries(more.map((topic) => [topic, ''])) }];

/** The page's own heading. */
const titleOf = (topic) =>
  /^# (.+)$/m.exec(readFileSync(path.join(docs, `${topic}.md`), 'utf8'))?.[1] ?? topic;

/** Braces in a page are text. Vue would take them for its own. */
function withoutVue(md) {
  for (const rule of ['text', 'code_inline']) {
    const render = md.renderer.rules[rule];
    md.renderer.rules[rule] = (...given) => (render?.(...given) ?? '').replaceAll('{{', '&#123;&#123;');
  }
}

export default defineConfig({
  title: 'kong-ts',
  description: 'Plugins for Kong Gateway in TypeScript',
  lang: 'en',
  srcDir: './.pages',
  cleanUrls: true,
  lastUpdated: false,
  head: [['meta', { name: 'color-scheme', content: 'light dark' }]],
  markdown: { html: false, languageAlias: { conf: 'ini' }, config: withoutVue },
  // The pages speak of machines of their readers.
  ignoreDeadLinks: 'localhostLinks',
  themeConfig: {
    search: { provider: 'local' },
    outline: { level: [2, 3] },
    nav: [
      { text: 'Write a plugin', link: '/write-a-plugin' },
      { text: 'Recipes', link: '/recipes' },
      { text: 'PDK', link: '/pdk' },
      { text: 'Event hooks', link: '/event-hooks' },
      { text: manifest.version, link: '/CHANGELOG' },
    ],
    sidebar: [
      { text: 'kong-ts', link: '/README' },
      ...sections.map(({ section, topics }) => ({
        text: section,
        items: Object.keys(topics).map((topic) => ({ text: titleOf(topic), link: `/${topic}` })),
      })),
      {
        text: 'The package',
        items: [
          { text: 'Changelog', link: '/CHANGELOG' },
          { text: 'Contributing', link: '/CONTRIBUTING' },
          { text: 'Reporting a fault', link: '/reporting' },
        ],
      },
    ],
    ...(repository === null ? {} : { socialLinks: [{ icon: 'github', link: repository }] }),
  },
  /** The Markdown itself, for programs. */
  buildEnd({ outDir }) {
    mkdirSync(path.join(outDir, 'docs'), { recursive: true });
    const names = readdirSync(docs).filter((name) => name.endsWith('.md'));
    for (const name of names) copyFileSync(path.join(docs, name), path.join(outDir, 'docs', name));
    for (const name of ['llms.txt', 'README.md', 'CHANGELOG.md'])
      copyFileSync(path.join(root, name), path.join(outDir, name));
    const order = sections.flatMap(({ topics }) => Object.keys(topics));
    const whole = ['README.md', ...order.map((topic) => `docs/${topic}.md`)];
    writeFileSync(
      path.join(outDir, 'llms-full.txt'),
      whole.map((file) => readFileSync(path.join(root, file), 'utf8')).join('\n\n'),
    );
  },
});
