import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { pages } from '../src/cli/docs/pages.ts';

/** Where the file is. */
export const llmsPath = fileURLToPath(new URL('../llms.txt', import.meta.url));

/** The list of pages for programs that read documentation (llmstxt.org), made from the pages. */
export function llmsText(): string {
  const all = pages(new URL('../', import.meta.url));
  const sections = [...new Set(all.map(({ section }) => section))].map((section) => {
    const lines = all
      .filter((page) => page.section === section)
      .map(({ title, file, summary }) => `- [${title}](${file}): ${summary}`);
    return `## ${section}\n\n${lines.join('\n')}\n`;
  });
  return `# kong-ts

> Plugins for Kong Gateway in TypeScript: a plugin server with a typed PDK, event hooks, an HTTP log plugin that loses
> nothing, and a sandbox gateway that runs all of it without Kong.

A plugin is one file whose default export is \`definePlugin({ name, version, config: z.object({...}), async access(kong, config) {...} })\`
from the package \`kong-ts\`. Every call of the PDK returns a promise and has to be awaited. \`npx kong-ts dev ./FILE.ts\` runs
it behind a gateway, \`testPlugin\` from \`kong-ts/testing\` tests it, and \`npx kong-ts docs TOPIC\` prints these pages.

${sections.join('\n')}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(llmsPath, llmsText());
