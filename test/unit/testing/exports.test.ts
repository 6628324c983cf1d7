import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import * as testing from '../../../src/testing/index.ts';

const entry = new URL('../../../src/testing/index.ts', import.meta.url);

describe('kong-ts/testing', () => {
  it('exports what its page says, and nothing by accident', () => {
    expect(Object.keys(testing).sort()).toEqual(['FakeKong', 'startPluginServer', 'testPlugin']);
  });

  it('is an entry point of the package', () => {
    const { exports } = JSON.parse(
      readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
    ) as { exports: Record<string, Record<string, string>> };
    expect(exports['./testing']?.['kong-ts-source']).toBe('./src/testing/index.ts');
  });

  it('documents everything that is public', () => {
    const files = [
      'description',
      'results',
      'overrides',
      'server-process',
      'kong/fake-kong',
      'kong/fake-instance',
    ];
    files.push('kong/kong-request', 'plugin/plugin-test');
    const bare = files.flatMap((file) => {
      const url = new URL(`${file}.ts`, entry);
      const source = ts.createSourceFile(file, readFileSync(url, 'utf8'), ts.ScriptTarget.Latest, true);
      return source.statements
        .filter(isExported)
        .filter((one) => ts.getJSDocCommentsAndTags(one).length === 0);
    });
    expect(bare.map((statement) => statement.getText().slice(0, 80))).toEqual([]);
  });
});

function isExported(statement: ts.Statement): boolean {
  const modifiers = ts.canHaveModifiers(statement) ? ts.getModifiers(statement) : undefined;
  return modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false;
}
