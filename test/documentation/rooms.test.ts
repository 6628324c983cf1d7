import { fileURLToPath } from 'node:url';
import { ESLint, Linter } from 'eslint';
import tseslint from 'typescript-eslint';
import house from '../../scripts/eslint/house.ts';
import { describe, expect, it } from 'vitest';

const cwd = fileURLToPath(new URL('../..', import.meta.url));
const eslint = new ESLint({ cwd });
const rules = ['no-restricted-imports', 'no-restricted-syntax', 'house/doors', 'house/door-only'];
const languageOptions = { parser: tseslint.parser as Linter.Parser };

/** What the linter's rules about imports and handwriting say of one line in a file that need not exist. */
async function complaints(file: string, line: string): Promise<string[]> {
  const config = (await eslint.calculateConfigForFile(file)) as { rules: Record<string, Linter.RuleEntry> };
  const chosen = Object.fromEntries(
    rules.flatMap((rule) => (config.rules[rule] === undefined ? [] : [[rule, config.rules[rule]]])),
  );
  return new Linter({ cwd })
    .verify(line, [{ files: ['**/*.ts'], languageOptions, plugins: { house }, rules: chosen }], file)
    .map(({ message }) => message);
}

/** Rooms and what they must not import (CONTRIBUTING.md, "Rooms"). */
const forbidden: [file: string, specifiers: string[]][] = [
  ['src/base/a.ts', ['../pdk/index.ts', '../wire/protocol.ts']],
  ['src/wire/msgpack/a.ts', ['node:net', 'node:fs', '../../pdk/index.ts', '../../server/index.ts']],
  ['src/pdk/a.ts', ['node:net', 'node:fs', '../plugin/define.ts', '../server/index.ts']],
  ['src/plugin/a.ts', ['node:net', '../server/index.ts', '../sandbox/index.ts', '../kong-end/index.ts']],
  ['src/lua-pattern/a.ts', ['node:fs', '../base/errors.ts']],
  [
    'src/kong-end/schema/a.ts',
    ['node:fs', '../../plugin/define.ts', '../../sandbox/index.ts', '../../pdk/index.ts', '../pdk/call.ts'],
  ],
  ['src/kong-end/pdk/a.ts', ['../../server/index.ts', '../../sandbox/index.ts', '../../plugin/define.ts']],
  ['src/server/worker/a.ts', ['../../sandbox/index.ts', '../../cli/main.ts', '../../testing/index.ts']],
  [
    'src/sandbox/gateway/a.ts',
    ['../../server/index.ts', '../../plugin/define.ts', '../../kong-end/pdk/call.ts'],
  ],
  ['src/event-hooks/store/a.ts', ['../../pdk/index.ts', '../../server/index.ts', '../../wire/detect.ts']],
  ['src/event-hooks/serve/a.ts', ['../../kong-watch/watcher/loop.ts', '../../kong-watch/port.ts']],
  ['src/event-hooks/handlers/a.ts', ['node:net', 'node:tls', 'undici', '../../server/index.ts']],
  [
    'src/kong-watch/watcher/a.ts',
    ['../../event-hooks/index.ts', '../../server/index.ts', '../../lua/index.ts'],
  ],
  ['src/lua/a.ts', ['../wire/detect.ts', '../event-hooks/index.ts', 'node:net', 'node:fs']],
  ['src/kong-admin/a.ts', ['../server/index.ts', '../event-hooks/index.ts', '../pdk/index.ts']],
  ['src/unix/a.ts', ['../server/index.ts', '../event-hooks/index.ts', '../pdk/index.ts']],
  [
    'src/sqlite/a.ts',
    ['../server/index.ts', '../event-hooks/index.ts', '../kong-watch/index.ts', 'node:net'],
  ],
  ['src/http/a.ts', ['../server/index.ts', '../event-hooks/index.ts', '../unix/claim.ts', 'node:fs']],
  ['src/kong-setup/a.ts', ['../server/index.ts', '../sandbox/index.ts', '../cli/main.ts']],
  ['src/testing/a.ts', ['../cli/main.ts', '../kong-end/pdk/call.ts']],
  ['src/cli/a.ts', ['../kong-end/pdk/call.ts', '../console/app.tsx']],
  ['src/console/a.ts', ['node:fs', '../http/index.ts', '../server/index.ts', '../event-hooks/store/open.ts']],
  ['plugins/http-log-enterprise/a.ts', ['../../src/base/errors.ts', '../../dist/src/index.js']],
];

const allowed: [file: string, specifier: string][] = [
  ['src/wire/msgpack/a.ts', '../../base/errors.ts'],
  ['src/pdk/a.ts', '../wire/index.ts'],
  ['src/server/worker/a.ts', '../../plugin/index.ts'],
  ['src/sandbox/gateway/a.ts', '../../wire/index.ts'],
  ['src/sqlite/a.ts', '../unix/index.ts'],
  ['src/kong-watch/watcher/a.ts', '../../sqlite/index.ts'],
  ['src/kong-watch/watcher/a.ts', '../../kong-admin/index.ts'],
  ['src/event-hooks/serve/a.ts', '../../kong-watch/index.ts'],
  ['src/sandbox/gateway/a.ts', '../../kong-end/index.ts'],
  ['src/kong-setup/doctor/a.ts', '../../kong-end/index.ts'],
  ['src/plugin/schema/a.ts', '../../kong-end/schema/index.ts'],
  ['plugins/http-log-enterprise/a.ts', 'kong-ts/lua'],
];

describe('the rooms', () => {
  it.each(forbidden)('%s must not import %j', async (file, specifiers) => {
    for (const specifier of specifiers) {
      for (const line of [`import a from '${specifier}';`, `import('${specifier}');`]) {
        expect(await complaints(file, line), line).not.toEqual([]);
      }
    }
  });

  it.each(allowed)('%s may import %s', async (file, specifier) => {
    expect(await complaints(file, `import a from '${specifier}';`)).toEqual([]);
    expect(await complaints(file, `import('${specifier}');`)).toEqual([]);
  });
});

/** Imports that go past a door; the last ones are of folders that are called like rooms, and of no room. */
const past: [file: string, specifier: string, complaints: number][] = [
  ['src/cli/hooks/a.ts', '../../event-hooks/model/hook.ts', 1],
  ['src/cli/a.ts', '../server/options.ts', 1],
  ['src/cli/a.ts', '../server/index.ts', 0],
  ['src/server/worker/a.ts', '../../pdk/kong.ts', 1],
  ['src/server/worker/a.ts', '../../pdk/names/index.ts', 0],
  ['src/plugin/schema/a.ts', '../../kong-end/schema/compile.ts', 1],
  ['src/pdk/a.ts', '../base/errors.ts', 0],
  ['src/pdk/a.ts', '../base/deeper/errors.ts', 1],
  ['src/testing/a.ts', '../cli/demo.ts', 2],
  ['src/kong-end/request/a.ts', '../pdk/call.ts', 0],
  ['src/server/worker/a.ts', './pdk/call.ts', 0],
  ['test/unit/a.ts', '../../src/plugin/define.ts', 0],
];

describe('the doors', () => {
  it.each(past)('in %s, %s brings %i complaints, whatever kind of import it is', async (file, to, count) => {
    const lines = [`import a from '${to}';`, `import type { A } from '${to}';`, `import('${to}');`];
    for (const line of lines) expect(await complaints(file, line), line).toHaveLength(count);
  });

  it.each(['type A = import("../server/options.ts").A;', "export * from '../server/options.ts';"])(
    'are passed by nobody who writes %s',
    async (line) => {
      expect(await complaints('src/cli/a.ts', line)).toHaveLength(1);
    },
  );

  it('are not for the package itself, which shows what stands in the rooms', async () => {
    expect(await complaints('src/index.ts', "export { a } from './plugin/define.ts';")).toEqual([]);
  });

  it('hand on, and have nothing of their own', async () => {
    const door = "export { a } from './a.ts';\nexport type { A } from './a.ts';\nexport * from './b.ts';";
    expect(await complaints('src/server/index.ts', door)).toEqual([]);
    for (const own of ['export const a = 1;', "import './a.ts';", 'const a = 1;\nexport { a };']) {
      expect(await complaints('src/server/connection/index.ts', own), own).not.toEqual([]);
    }
  });
});

/** Every room, and what is not a room. */
const written = [
  ...forbidden.map(([file]) => file),
  'src/a.ts',
  'test/unit/a.ts',
  'scripts/a.ts',
  'bench/a.ts',
];

/** Another handwriting than this project's (CONTRIBUTING.md, "Handwriting"). */
const foreign = [
  'class A { private a = 1; }',
  'class A { private static a(): void {} }',
  'class A { private get a(): number { return 1; } }',
  "import { type A, b } from 'c';",
  "export { type A, b } from 'c';",
];

describe('the handwriting', () => {
  it.each(written)('is held in %s', async (file) => {
    for (const line of foreign) expect(await complaints(file, line), line).toHaveLength(1);
  });

  it('has private constructors, which cannot be spelled with #', async () => {
    expect(await complaints('src/server/a.ts', 'class A { private constructor() {} }')).toEqual([]);
  });
});
