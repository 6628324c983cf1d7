import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

/**
 * The relative links in the Markdown files of a folder that lead nowhere: to no file in it, or to no heading of the file.
 * @returns `file: link`, empty when all lead somewhere
 */
export function brokenLinks(folder: string): string[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.md') && !file.includes('node_modules'),
  );
  return files.flatMap((file) =>
    linksIn(readFileSync(path.join(folder, file), 'utf8'))
      .filter((link) => !leadsSomewhere(folder, file, link))
      .map((link) => `${file}: ${link}`),
  );
}

/** Relative ones, outside of code. Pictures stay in the repository. */
function linksIn(markdown: string): string[] {
  const prose = markdown.replace(/^ *(```+)[\s\S]*?^ *\1 *$/gm, '').replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link]) => link ?? '')
    .filter((link) => !/^[a-z]+:|\.png$/.test(link));
}

function leadsSomewhere(folder: string, file: string, link: string): boolean {
  const [target = '', heading] = link.split('#');
  const found = target === '' ? path.join(folder, file) : path.join(folder, path.dirname(file), target);
  const outside = path.relative(folder, found).startsWith('..');
  if (outside || !existsSync(found)) return false;
  if (heading === undefined || !found.endsWith('.md')) return true;
  return headingsIn(readFileSync(found, 'utf8')).includes(heading);
}

/** As GitHub and npm name them. */
function headingsIn(markdown: string): string[] {
  const seen = new Map<string, number>();
  return [...markdown.matchAll(/^#+ +(.+)$/gm)].map(([, text = '']) => {
    const name = text
      .toLowerCase()
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-');
    const before = seen.get(name) ?? 0;
    seen.set(name, before + 1);
    return before === 0 ? name : `${name}-${String(before)}`;
  });
}
