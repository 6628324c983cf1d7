import { readFileSync } from 'node:fs';

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
