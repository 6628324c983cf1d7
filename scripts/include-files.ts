import { readFile, readdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const root = new URL('../', import.meta.url);
const docs = new URL('docs/', root);

/** A page in which the block behind each `<!-- file: PATH -->` is that file. Other text stays. */
export async function withFiles(page: string): Promise<string> {
  const marks = [...page.matchAll(/^<!-- file: ([\w./-]+) -->\n(?:\n```\w+\n.*?^```\n)?/gms)];
  const parts: string[] = [];
  let end = 0;
  for (const { 0: whole, 1: path = '', index } of marks) {
    const file = path.slice(path.lastIndexOf('/') + 1);
    const text = await readFile(new URL(path, root), 'utf8');
    parts.push(page.slice(end, index), `<!-- file: ${path} -->\n\n\`\`\`ts\n// ${file}\n${text}\`\`\`\n`);
    end = index + whole.length;
  }
  return [...parts, page.slice(end)].join('');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const name of await readdir(docs)) {
    if (!name.endsWith('.md')) continue;
    const place = new URL(name, docs);
    const before = await readFile(place, 'utf8');
    const after = await withFiles(before);
    if (after !== before) await writeFile(place, after);
  }
}
