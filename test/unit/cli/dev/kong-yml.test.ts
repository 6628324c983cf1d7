import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { definePlugin, z } from '../../../../src/index.ts';
import { dumpDocument } from '../../../../src/plugin/index.ts';
import { loadDeclarativeText } from '../../../../src/kong-end/declarative/index.ts';
import { kongYml, makeKongYml } from '../../../../src/cli/dev/kong-yml.ts';

const documentOf = (name: string, config: z.ZodObject) =>
  dumpDocument([definePlugin({ name, version: '1.0.0', config, access: () => undefined })]);

function load(documents: ReturnType<typeof documentOf>[]) {
  const known = documents.flatMap(({ Plugins }) =>
    Plugins.map(({ Name, Version, Priority, Phases, Schema }) => ({
      ...{ name: Name, version: Version, priority: Priority, phases: Phases },
      schema: { ...Schema, name: Name },
    })),
  );
  return loadDeclarativeText(kongYml(documents, 'http://127.0.0.1:9080'), known).snapshot();
}

test('the first kong.yml loads, whatever a schema requires, and leaves defaults out', () => {
  const { plugins } = load([
    documentOf(
      'demanding',
      z.object({
        text: z.string().min(12),
        exact: z.string().length(4),
        url: z.string().startsWith('https://'),
        kind: z.enum(['one', 'two']),
        count: z.int().min(3).max(9),
        positive: z.number().positive(),
        on: z.boolean(),
        list: z.array(z.string()).min(1),
        map: z.record(z.string(), z.string()),
        nested: z.object({ inner: z.string(), given: z.string().default('x') }),
        given: z.string().default('there'),
        free: z.string().optional(),
      }),
    ),
    documentOf('easy', z.object({})),
  ]);
  expect(plugins.map(({ name }) => name).toSorted()).toEqual(['demanding', 'easy']);
  expect(plugins.find(({ name }) => name === 'demanding')?.config).toMatchObject({
    text: 'change-mexxx',
    exact: 'chan',
    url: 'https://example.com',
    kind: 'one',
    count: 3,
    on: true,
    nested: { inner: 'change-me', given: 'x' },
    given: 'there',
  });
});

test('a file that is there stays as it is; a new one can be read by others', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-yml-'));
  const file = path.join(folder, 'kong.yml');
  try {
    expect(makeKongYml(file, [documentOf('one', z.object({}))], 'http://127.0.0.1:1')).toBe(true);
    const text = readFileSync(file, 'utf8');
    expect(statSync(file).mode & 0o777).toBe(0o644);
    expect(makeKongYml(file, [documentOf('other', z.object({}))], 'http://127.0.0.1:2')).toBe(false);
    expect(readFileSync(file, 'utf8')).toBe(text);
    expect(() => makeKongYml(path.join(folder, 'no', 'kong.yml'), [], 'x')).toThrow('--config');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
