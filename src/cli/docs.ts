import { Command } from 'commander';
import { KongTsError } from '../base/errors.ts';
import { nearest } from '../base/nearest.ts';
import { hasColour, palette, printableLine } from '../terminal/index.ts';
import { pages } from './docs/pages.ts';
import type { Page } from './docs/pages.ts';
import { partsNamed, partsOf, search } from './docs/search.ts';

/** `kong-ts docs`: the documentation of this version, without a network. */
export function build(): Command {
  return new Command()
    .description('print the documentation of this version')
    .argument('[topic]', 'a page; without one, the pages are listed')
    .argument('[heading...]', 'only the parts of the page whose heading holds these words')
    .option('--search <words>', 'the lines of all pages that hold all of these words')
    .addHelpText(
      'after',
      `
  kong-ts docs write-a-plugin
  kong-ts docs pdk getHeader
  kong-ts docs --search "retry schedule"
  kong-ts docs recipes | less`,
    )
    .action((topic: string | undefined, heading: string[], { search: words }: { search?: string }) => {
      process.stdout.write(answer(pages(), topic, heading.join(' '), words));
    });
}

function answer(
  all: readonly Page[],
  topic: string | undefined,
  heading: string,
  words: string | undefined,
): string {
  if (words !== undefined) return found(all, words);
  if (topic === undefined) return list(all);
  const page = all.find((one) => one.topic === topic);
  if (page === undefined) {
    const topics = all.map((one) => one.topic);
    const meant = nearest(topic, topics);
    throw new KongTsError('USAGE', `There is no page "${topic}".`, {
      fix: `${meant === null ? '' : `Did you mean ${meant}? `}Pages are: ${topics.join(', ')}. To look for a word: kong-ts docs --search WORD.`,
    });
  }
  if (heading === '') return coloured(page.text);
  const parts = partsNamed(page, heading);
  if (parts.length === 0) {
    const headings = partsOf(page).map((part) => part.heading);
    throw new KongTsError('USAGE', `The page "${topic}" has no heading with "${heading}".`, {
      fix: `Headings are: ${headings.slice(0, 20).join(', ')}${headings.length > 20 ? ', ...' : ''}.`,
    });
  }
  return coloured(`${parts.map(({ text }) => text.trimEnd()).join('\n\n')}\n`);
}

function list(all: readonly Page[]): string {
  const { bold } = palette(hasColour(process.stdout, process.env));
  const width = Math.max(...all.map(({ topic }) => topic.length)) + 2;
  const sections = [...new Set(all.map(({ section }) => section))].map((section) => {
    const lines = all
      .filter((page) => page.section === section)
      .map(({ topic, summary }) => `  ${topic.padEnd(width)}${summary}`);
    return [bold(section), ...lines].join('\n');
  });
  return `${sections.join('\n\n')}\n\nkong-ts docs TOPIC prints a page, kong-ts docs TOPIC WORDS a part of it.\n`;
}

function found(all: readonly Page[], words: string): string {
  const hits = search(all, words.split(/\s+/).filter(Boolean));
  if (hits.length === 0) throw new KongTsError('USAGE', `No page has a line with "${words}".`);
  const { dim } = palette(hasColour(process.stdout, process.env));
  return hits
    .map(
      ({ topic, heading, line }) =>
        `${dim(`${topic}${heading === null ? '' : ` > ${heading}`}`)}\n  ${printableLine(line.slice(0, 200))}\n`,
    )
    .join('');
}

/** Markdown as it is; on a terminal, headings stand out. */
function coloured(text: string): string {
  if (!hasColour(process.stdout, process.env)) return text;
  const { bold } = palette(true);
  let isCode = false;
  return text
    .split('\n')
    .map((line) => {
      if (line.startsWith('```')) isCode = !isCode;
      return !isCode && /^#{1,6} /.test(line) ? bold(line) : line;
    })
    .join('\n');
}
