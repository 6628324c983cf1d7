import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, describe, expect, it } from 'vitest';
import { catalogue } from '../../src/pdk/index.ts';
import { codeBlocks, documentationPages } from '../support/documentation.ts';

const root = new URL('../../', import.meta.url);
const own = (file: string): string => fileURLToPath(new URL(file, root));
const folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-documentation-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Pages whose blocks are held by other tests: files that are type checked themselves, and the catalogue's examples. */
const elsewhere = ['docs/recipes.md', 'docs/pdk.md'];

/** Writes every TypeScript block of the pages as a module, those of one page beside each other. */
function writeModules(): string[] {
  const modules: string[] = [];
  for (const page of documentationPages(root).filter((file) => !elsewhere.includes(file))) {
    const place = path.join(folder, path.basename(page, '.md'));
    mkdirSync(place);
    codeBlocks(new URL(page, root)).forEach(({ language, file, text }, at) => {
      if (language !== 'ts') return;
      const module = path.join(place, file ?? `block-${String(at)}.ts`);
      writeFileSync(module, text);
      modules.push(module);
    });
  }
  return modules;
}

/** The examples of the PDK's functions, each in a handler of a phase and protocol that have it. */
function writeExamples(): string {
  const known = `import type { Consumer, Kong } from 'kong-ts';\ndeclare const consumer: Consumer;\ndeclare const body: Buffer;\n`;
  const functions = catalogue.flatMap(({ path: name, example, offered: { protobuf, msgpack } }, at) => {
    const protocol = protobuf.length > 0 ? 'protobuf' : 'msgpack';
    const phase = protobuf[0] ?? msgpack[0];
    // A function that Kong offers no external plugin shows what to call in its place.
    const shown = phase ?? 'response';
    return `/** ${name} */\nexport async function example${String(at)}(kong: Kong<'${shown}', '${protocol}'>): Promise<unknown> {\n  ${example}\n  return null;\n}\n`;
  });
  const module = path.join(folder, 'examples.ts');
  writeFileSync(module, known + functions.join('\n'));
  return module;
}

describe('TypeScript of the documentation', () => {
  it('compiles, block by block and example by example', () => {
    writeFileSync(path.join(folder, 'package.json'), '{"type":"module"}');
    const modules = [...writeModules(), writeExamples()];
    expect(modules.length).toBeGreaterThan(15);
    const config = ts.getParsedCommandLineOfConfigFile(
      own('tsconfig.json'),
      {},
      {
        ...ts.sys,
        onUnRecoverableConfigFileDiagnostic: () => undefined,
      },
    );
    const program = ts.createProgram(modules, {
      ...config?.options,
      types: ['node'],
      allowUnreachableCode: true,
      paths: {
        'kong-ts': [own('src/index.ts')],
        'kong-ts/testing': [own('src/testing/index.ts')],
        'kong-ts/testing/containers': [own('src/testing/containers/index.ts')],
        vitest: [own('node_modules/vitest/dist/index.d.ts')],
      },
      typeRoots: [own('node_modules/@types')],
    });
    const problems = modules.flatMap((module) => {
      const source = program.getSourceFile(module);
      return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    });
    expect(
      problems.map(({ file, start = 0, messageText }) => [
        path.relative(folder, file?.fileName ?? ''),
        (file?.getLineAndCharacterOfPosition(start).line ?? 0) + 1,
        ts.flattenDiagnosticMessageText(messageText, '\n'),
      ]),
    ).toEqual([]);
    // A whole compiler run: a busy machine takes its time.
  }, 240_000);

  it('has JavaScript that parses', () => {
    for (const page of documentationPages(root)) {
      for (const { language, text } of codeBlocks(new URL(page, root))) {
        if (language !== 'js') continue;
        const { diagnostics } = ts.transpileModule(text, { reportDiagnostics: true });
        expect(diagnostics, page).toEqual([]);
      }
    }
  });
});
