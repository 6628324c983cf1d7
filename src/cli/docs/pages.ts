import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { packageRoot } from '../../base/package.ts';

/** One page of the documentation. */
export interface Page {
  /** What `kong-ts docs` calls it: the file's name without its ending. */
  readonly topic: string;
  readonly section: string;
  readonly title: string;
  /** One line. */
  readonly summary: string;
  /** Below the package's folder. */
  readonly file: string;
  readonly text: string;
}

/** A part of the documentation. */
export interface Section {
  readonly section: string;
  /** What each page is about, in the order of reading. */
  readonly topics: Readonly<Record<string, string>>;
}

/** Pages that lie beside the folder. */
const others = [
  ['readme', 'README.md', 'What kong-ts is, a first plugin, and how Kong runs it'],
  ['changelog', 'CHANGELOG.md', 'What has changed, by version'],
] as const;

/** The sections in order. A page that docs/contents.json does not name comes last. */
export function sections(root: URL = packageRoot): readonly Section[] {
  const folder = new URL('docs/', root);
  const written = JSON.parse(readFileSync(new URL('contents.json', folder), 'utf8')) as readonly Section[];
  const named = written.flatMap(({ topics }) => Object.keys(topics));
  const more = readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .map((name) => name.slice(0, -'.md'.length))
    .filter((topic) => !named.includes(topic))
    .sort();
  return more.length === 0
    ? written
    : [...written, { section: 'More', topics: Object.fromEntries(more.map((topic) => [topic, ''])) }];
}

/** Every page, in the order of reading. @param root the package's folder */
export function pages(root: URL = packageRoot): Page[] {
  const listed = sections(root).flatMap(({ section, topics }) =>
    Object.entries(topics).map(([topic, summary]) =>
      pageOf(root, { topic, section, summary, file: `docs/${topic}.md` }),
    ),
  );
  const beside = others
    .filter(([, file]) => existsSync(new URL(file, root)))
    .map(([topic, file, summary]) => pageOf(root, { topic, section: 'The package', summary, file }));
  return [...listed, ...beside];
}

function pageOf(root: URL, page: Pick<Page, 'topic' | 'section' | 'summary' | 'file'>): Page {
  const text = readFileSync(new URL(page.file, root), 'utf8');
  const title = /^# (.+)$/m.exec(text)?.[1] ?? page.topic;
  return { ...page, title, summary: page.summary === '' ? title : page.summary, text };
}
