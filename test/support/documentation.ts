import { readFileSync, readdirSync } from 'node:fs';

export interface CodeBlock {
  language: string;
  /** From a first line such as `// hello.ts` or `# kong.yml`; null without one. */
  file: string | null;
  text: string;
}

/** The fenced code blocks of a Markdown page, in order. */
export function codeBlocks(page: URL): CodeBlock[] {
  return [...readFileSync(page, 'utf8').matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(
    ([, language = '', text = '']) => ({
      language,
      file: /^(?:\/\/|#) ([\w.-]+\.\w+)\n/.exec(text)?.[1] ?? null,
      text,
    }),
  );
}

/** The pages that users read, by their paths below the checkout. */
export function documentationPages(root: URL): string[] {
  const docs = readdirSync(new URL('docs/', root)).filter((name) => name.endsWith('.md'));
  return ['README.md', ...docs.map((name) => `docs/${name}`)];
}

/** The page without its code, line by line as it was: headings and links in code are none. */
export function proseOf(text: string): string {
  return text.replace(/^```.*?^```$/gms, (block) => block.replace(/[^\n]/g, ''));
}

/** The anchors of a page's headings, as GitHub and the site make them. */
export function anchorsOf(text: string): Set<string> {
  const seen = new Map<string, number>();
  return new Set(
    [...proseOf(text).matchAll(/^#{1,6} +(.+)$/gm)].map(([, heading = '']) => {
      const slug = heading
        .toLowerCase()
        .replace(/[`*]|\[|\]\([^)]*\)/g, '')
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replace(/\s/g, '-');
      const before = seen.get(slug) ?? 0;
      seen.set(slug, before + 1);
      return before === 0 ? slug : `${slug}-${String(before)}`;
    }),
  );
}
