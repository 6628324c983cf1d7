import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Imports that a room must not have: dependencies point one way (CONTRIBUTING.md, "Rooms"). */
const room = (files, forbidden, why) => ({
  files,
  rules: {
    'no-restricted-imports': ['error', { patterns: forbidden.map((regex) => ({ regex, message: why })) }],
  },
});

export default tseslint.config(
  {
    ignores: [
      'dist',
      'coverage',
      'node_modules',
      'test/fixtures',
      'bench/results',
      'bench/peer/node_modules',
    ],
  },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/require-await': 'off',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
    },
  },
  {
    files: ['**/*.js', '**/*.cjs', '**/*.mjs'],
    languageOptions: {
      globals: Object.fromEntries(
        [
          'process',
          'console',
          'Buffer',
          'URL',
          'setTimeout',
          'clearTimeout',
          'fetch',
          'require',
          'module',
          'exports',
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
  room(
    ['src/wire/**', 'src/pdk/**'],
    ['^node:(net|http|https|fs|child_process)$', '/(server|sandbox|cli|event-hooks|plugin)/'],
    'wire and pdk know no sockets, no files and no room above them',
  ),
  room(
    ['src/plugin/**'],
    ['/(server|sandbox|cli)/', '^node:net$'],
    'plugin stands below server, sandbox and cli',
  ),
  room(['src/server/**'], ['/sandbox/', '/cli/'], 'server and sandbox meet on a socket only'),
  room(
    ['src/sandbox/**'],
    ['/server/', '/cli/', '/plugin/', '/event-hooks/'],
    'server and sandbox meet on a socket only',
  ),
  room(['src/event-hooks/**'], ['/(server|sandbox|cli|pdk|plugin|wire)/'], 'event-hooks stands alone'),
  room(['src/lua/**'], ['/(server|sandbox|cli|pdk|plugin|wire|event-hooks)/'], 'lua stands alone'),
  room(
    ['plugins/**'],
    ['^(\\.\\./)+src/'],
    'plugins import the public entry points only (kong-ts, kong-ts/...)',
  ),
);
