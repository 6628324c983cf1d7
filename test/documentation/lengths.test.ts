import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ESLint } from 'eslint';
import ts from 'typescript';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const eslint = new ESLint({ cwd: root });

/** Lines of a file and of its longest function, as the linter counts them. */
interface Lengths {
  readonly file: number;
  readonly function: number;
}

/** The linter's own parser takes six times as long for it. */
function lengthsOf(text: string): Lengths {
  const source = ts.createSourceFile('a.ts', text, ts.ScriptTarget.Latest, false);
  const lineAt = (position: number): number => source.getLineAndCharacterOfPosition(position).line;
  let longest = 0;
  const look = (node: ts.Node): void => {
    if (ts.isFunctionLike(node))
      longest = Math.max(longest, lineAt(node.end) - lineAt(node.getStart(source)) + 1);
    ts.forEachChild(node, look);
  };
  look(source);
  return { file: text.split('\n').length - 1, function: longest };
}

/** What the linter admits in a file: a number more than usual stands in eslint.config.js with its reason. */
async function admitted(file: string): Promise<Lengths> {
  const { rules } = (await eslint.calculateConfigForFile(file)) as { rules: Record<string, unknown[]> };
  return {
    file: Number(rules['max-lines']?.[1]),
    function: Number(rules['max-lines-per-function']?.[1]),
  };
}

it('counts a file and the longest function in it', () => {
  const body = '  run();\n'.repeat(59);
  expect(lengthsOf(`function a() {\n${body}}\n`)).toEqual({ file: 61, function: 61 });
  expect(lengthsOf(`/**\n * Says what.\n */\nclass A {\n  b = () => {\n${body}  };\n}\n`)).toEqual({
    file: 66,
    function: 61,
  });
});

it('no file of ours is over 400 lines and no function over 60, but with a reason in eslint.config.js', async () => {
  const usual = await admitted('src/a.ts');
  expect(usual).toEqual({ file: 400, function: 60 });
  const tooLong: string[] = [];
  for (const file of globSync('{src,plugins}/**/*.ts', { cwd: root })) {
    const text = readFileSync(`${root}/${file}`, 'utf8');
    // A file of so few lines has no longer function.
    if (text.split('\n').length <= usual.function) continue;
    const lengths = lengthsOf(text);
    if (lengths.file <= usual.file && lengths.function <= usual.function) continue;
    const most = await admitted(file);
    if (lengths.file > most.file) tooLong.push(`${file} has ${String(lengths.file)} lines`);
    if (lengths.function > most.function)
      tooLong.push(`${file} has a function of ${String(lengths.function)} lines`);
  }
  expect(tooLong).toEqual([]);
});
