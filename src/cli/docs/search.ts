import type { Page } from './pages.ts';

/** A part of a page, from a heading to the next one of its level or above. */
export interface Part {
  readonly heading: string;
  readonly text: string;
}

/** Headings in code blocks are none. */
const blocks = /^```.*?^```$/gms;

/** The parts of a page, each with those below it. */
export function partsOf({ text }: Page): Part[] {
  const masked = text.replace(blocks, (block) => block.replace(/[^\n]/g, ' '));
  const headings = [...masked.matchAll(/^(#{2,4}) +(.+)$/gm)];
  return headings.map(({ 1: marks = '', 2: heading = '', index }, at) => {
    const next = headings.slice(at + 1).find(([, others = '']) => others.length <= marks.length);
    return { heading, text: text.slice(index, next?.index) };
  });
}

/** The parts whose heading holds some words, in any case. */
export function partsNamed(page: Page, words: string): Part[] {
  const wanted = words.toLowerCase();
  const found = partsOf(page).filter(({ heading }) => heading.toLowerCase().includes(wanted));
  const exact = found.filter(({ heading }) => heading.toLowerCase() === wanted);
  return exact.length > 0 ? exact : found;
}

/** A line that holds what was searched for. */
export interface Hit {
  readonly topic: string;
  /** The heading that it stands below; null: above the first one. */
  readonly heading: string | null;
  readonly line: string;
}

/** Lines that hold all words, in any case. */
export function search(all: readonly Page[], words: readonly string[]): Hit[] {
  const wanted = words.map((word) => word.toLowerCase());
  return all.flatMap(({ topic, text }) => {
    let heading: string | null = null;
    return text.split('\n').flatMap((line): Hit[] => {
      const found = /^#{2,4} +(.+)$/.exec(line)?.[1];
      if (found !== undefined) heading = found;
      const lower = line.toLowerCase();
      return wanted.every((word) => lower.includes(word)) ? [{ topic, heading, line: line.trim() }] : [];
    });
  });
}
