import js from '@eslint/js';
import tseslint from 'typescript-eslint';
import house from './scripts/eslint/house.ts';

/** One handwriting (CONTRIBUTING.md, "Handwriting"): a syntax that has another spelling in this project. */
const handwriting = [
  {
    // A constructor has no name that could begin with #.
    selector:
      ':matches(PropertyDefinition, AccessorProperty, MethodDefinition[kind!="constructor"])[accessibility="private"]',
    message: 'a private member is spelled #member',
  },
  {
    selector: 'ImportDeclaration[importKind="value"] > ImportSpecifier[importKind="type"]',
    message: 'types are imported by a line of their own: import type { ... } from',
  },
  {
    selector: 'ExportNamedDeclaration[exportKind="value"] > ExportSpecifier[exportKind="type"]',
    message: 'types are exported by a line of their own: export type { ... } from',
  },
];

/** Imports that a room must not have: dependencies point one way (CONTRIBUTING.md, "Rooms"). */
const room = (files, forbidden, why) => ({
  files,
  rules: {
    'no-restricted-imports': ['error', { patterns: forbidden.map((regex) => ({ regex, message: why })) }],
    // The same for import(), which the rule above does not look at. A file has one setting of this rule: handwriting is in each.
    'no-restricted-syntax': [
      'error',
      ...handwriting,
      ...forbidden.map((regex) => ({
        selector: `ImportExpression[source.value=/${regex.replaceAll('/', '\\u002F')}/]`,
        message: why,
      })),
    ],
  },
});

/** Imports from other rooms of src. */
const rooms = (...names) => `^(\\.\\./)+(${names.join('|')})/`;
const sockets = '^node:(net|tls|http|https|http2|dgram)$';
const filesAndProcesses = '^node:(fs|fs/promises|child_process|worker_threads|cluster)$';
const upper = ['server', 'sandbox', 'kong-end', 'cli', 'testing', 'kong-setup', 'console'];
/**
 * The doors of each room (CONTRIBUTING.md, "Doors"). There is more than one where two users need halves that do not load each
 * other: a plugin's file shall not load a server, a supervisor no PDK.
 */
const doors = {
  // Each file of the ground floor is a thing of its own.
  base: ['*'],
  // The console knows the answers of the Admin API, by their types.
  'event-hooks': [
    'index.ts',
    'client/index.ts',
    'serve/index.ts',
    'admin/index.ts',
    'admin/answers.ts',
    'admin/plugin-answers.ts',
  ],
  http: ['index.ts', 'http1/index.ts', 'client/index.ts'],
  'kong-admin': ['index.ts'],
  'kong-end': ['index.ts', 'schema/index.ts', 'schema/refusals.ts'],
  'kong-setup': ['index.ts', 'doctor/index.ts', 'enable/index.ts'],
  'kong-watch': ['index.ts'],
  lua: ['index.ts'],
  'lua-pattern': ['index.ts'],
  pdk: ['index.ts', 'names/index.ts', 'catalogue/index.ts', 'events/index.ts'],
  plugin: ['index.ts'],
  sandbox: ['index.ts'],
  server: ['index.ts', 'admin/index.ts', 'embedded/index.ts'],
  sqlite: ['index.ts'],
  terminal: ['index.ts'],
  testing: ['index.ts', 'containers/index.ts'],
  unix: ['index.ts'],
  wire: [
    'index.ts',
    'msgpack/index.ts',
    'msgpack/kong-side.ts',
    'protobuf/index.ts',
    'protobuf/kong-side.ts',
  ],
};
const notItsSchema = '^(\\.\\./)+kong-end/(?!schema/)';

/** A file or a function that may be longer than others, to the next ten lines, and why. */
const long = (files, lengths, why) => ({
  name: why,
  files,
  rules: {
    ...(lengths.file === undefined ? {} : { 'max-lines': ['error', lengths.file] }),
    ...(lengths.function === undefined ? {} : { 'max-lines-per-function': ['error', lengths.function] }),
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
      // Projects of their own: test/create compiles and runs them.
      'create-kong-ts/templates',
      'site/.pages',
      'site/.vitepress/cache',
      'site/.vitepress/dist',
      'site/.vitepress/.temp',
    ],
  },
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
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
      // Declarations of a library are extended by an interface that only names another one, as zod documents it.
      '@typescript-eslint/no-empty-object-type': ['error', { allowInterfaces: 'with-single-extends' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/naming-convention': [
        'error',
        // What is taken out of an object has the name that it has there.
        { selector: 'variable', modifiers: ['destructured'], format: null },
        {
          selector: 'variable',
          format: null,
          custom: { regex: '^[A-Z][A-Z0-9_]+$', match: false },
        },
      ],
      'no-restricted-syntax': ['error', ...handwriting],
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
  { files: ['src/**/*.ts', 'src/**/*.tsx'], plugins: { house }, rules: { 'house/doors': ['error', doors] } },
  {
    files: ['src/**/*.ts', 'src/**/*.tsx', 'plugins/**/*.ts', 'scripts/**/*.ts', 'bench/**/*.ts'],
    plugins: { house },
    rules: {
      // Names that users write, and those of Node's own options.
      'house/milliseconds': ['error', { names: ['phaseTimeout', 'startupTimeout', 'requestTimeout'] }],
    },
  },
  {
    files: ['src/testing/kong/fake-kong.ts'],
    rules: { 'house/milliseconds': ['error', { names: ['timeout'] }] },
  },
  {
    // kong.service.set_timeouts: the arguments are named as in Kong's PDK.
    files: ['src/pdk/types/api-service.ts'],
    rules: { 'house/milliseconds': 'off' },
  },
  { files: ['src/**/index.ts'], rules: { 'house/door-only': 'error' } },
  room(['src/base/**'], ['^(\\.\\./)+[^.]'], 'base is the ground floor: it stands below every room'),
  room(
    ['src/kong-end/**'],
    [
      rooms(
        'server',
        'sandbox',
        'cli',
        'testing',
        'kong-setup',
        'plugin',
        'event-hooks',
        'kong-watch',
        'lua',
        'kong-admin',
      ),
    ],
    "kong-end is Kong's end of the socket: it meets the server there only",
  ),
  room(
    ['src/kong-end/schema/**'],
    [
      sockets,
      filesAndProcesses,
      rooms(...upper, 'event-hooks', 'kong-watch', 'plugin', 'pdk', 'wire', 'lua', 'kong-admin'),
      '^\\.\\./(entities|declarative|router|request|plugin-server)/',
    ],
    "schema is Kong's schema language and nothing else",
  ),
  room(
    ['src/lua-pattern/**'],
    [sockets, filesAndProcesses, '^(\\.\\./)+'],
    'lua-pattern stands below everything',
  ),
  room(
    ['src/wire/**'],
    [
      sockets,
      filesAndProcesses,
      rooms(...upper, 'event-hooks', 'kong-watch', 'plugin', 'pdk', 'lua', 'kong-admin'),
    ],
    'wire turns bytes into messages: no sockets, no files, no room but errors',
  ),
  room(
    ['src/pdk/**'],
    [sockets, filesAndProcesses, rooms(...upper, 'event-hooks', 'kong-watch', 'plugin', 'lua', 'kong-admin')],
    'pdk knows no sockets, no files and no room above it',
  ),
  room(
    ['src/plugin/**'],
    [
      sockets,
      rooms(
        'server',
        'sandbox',
        'cli',
        'testing',
        'kong-setup',
        'event-hooks',
        'kong-watch',
        'lua',
        'kong-admin',
      ),
      notItsSchema,
    ],
    'plugin stands below server, sandbox and cli',
  ),
  room(
    ['src/server/**'],
    [rooms('sandbox', 'kong-end', 'cli', 'testing', 'kong-setup', 'kong-watch')],
    'server and sandbox meet on a socket only',
  ),
  room(
    ['src/sandbox/**'],
    [rooms('server', 'cli', 'testing', 'kong-setup', 'plugin', 'event-hooks', 'kong-watch')],
    'server and sandbox meet on a socket only',
  ),
  room(
    ['src/event-hooks/**'],
    [rooms(...upper, 'pdk', 'plugin', 'wire'), '^node:sqlite$'],
    'event-hooks stands alone: it knows Kong through kong-admin and the door of kong-watch, if at all',
  ),
  room(
    ['src/kong-watch/**'],
    [rooms(...upper, 'pdk', 'plugin', 'wire', 'lua', 'event-hooks'), '^node:sqlite$'],
    'kong-watch tells whoever stands behind its port: it knows Kong, and nobody who takes its events',
  ),
  room(
    ['src/event-hooks/handlers/**'],
    [rooms(...upper, 'pdk', 'plugin', 'wire'), sockets, '^undici'],
    'handlers open no connections themselves: delivery/ has the guard of addresses',
  ),
  room(
    ['src/lua/**'],
    [
      sockets,
      filesAndProcesses,
      rooms(...upper, 'pdk', 'plugin', 'wire', 'event-hooks', 'kong-watch', 'kong-admin'),
    ],
    'lua stands alone, without sockets and files',
  ),
  room(
    ['src/lua/thread/**'],
    [
      sockets,
      '^node:(fs|fs/promises|child_process|cluster)$',
      rooms(...upper, 'pdk', 'plugin', 'wire', 'event-hooks', 'kong-watch', 'kong-admin'),
    ],
    'the threads of Lua know threads, and nothing else of the system',
  ),
  room(
    ['src/kong-admin/**'],
    [rooms(...upper, 'pdk', 'plugin', 'wire', 'event-hooks', 'kong-watch', 'lua')],
    'kong-admin is a client of Kong and nothing else',
  ),
  room(
    ['src/unix/**'],
    [rooms(...upper, 'pdk', 'plugin', 'wire', 'event-hooks', 'kong-watch', 'lua', 'kong-admin')],
    'unix knows sockets and files, not what they are for',
  ),
  room(
    ['src/sqlite/**'],
    [
      sockets,
      rooms(...upper, 'pdk', 'plugin', 'wire', 'event-hooks', 'kong-watch', 'lua', 'kong-admin', 'http'),
    ],
    'sqlite knows SQLite, not what is kept in it',
  ),
  room(
    ['src/terminal/**'],
    [
      sockets,
      rooms(
        ...upper,
        'pdk',
        'plugin',
        'wire',
        'event-hooks',
        'kong-watch',
        'lua',
        'kong-admin',
        'unix',
        'http',
      ),
    ],
    'terminal knows what a person reads, not what it is about',
  ),
  room(
    ['src/http/**'],
    [
      filesAndProcesses,
      rooms(...upper, 'pdk', 'plugin', 'wire', 'event-hooks', 'kong-watch', 'lua', 'kong-admin', 'unix'),
    ],
    'http knows HTTP, not what it is for',
  ),
  room(
    ['src/kong-setup/**'],
    [rooms('server', 'sandbox', 'cli', 'testing', 'event-hooks', 'kong-watch', 'lua')],
    'kong-setup looks at a Kong from outside',
  ),
  room(['src/testing/**'], [rooms('cli')], 'testing uses what the commands use, not the commands'),
  room(
    ['src/console/**'],
    [
      '^node:',
      rooms(
        ...upper,
        'pdk',
        'plugin',
        'wire',
        'unix',
        'sqlite',
        'terminal',
        'http',
        'lua',
        'kong-admin',
        'kong-watch',
      ),
    ],
    'console runs in a browser: of the others it knows what the Admin API of event hooks answers, by its types',
  ),
  room(
    ['plugins/**'],
    ['^(\\.\\./)+(src|dist)/'],
    'plugins import the public entry points only (kong-ts, kong-ts/...)',
  ),
  {
    files: ['src/**/*.ts', 'src/**/*.tsx', 'plugins/**/*.ts'],
    rules: { 'max-lines': ['error', 400], 'max-lines-per-function': ['error', 60] },
  },
  long(['src/cli/serve.ts'], { function: 100 }, 'a list of options, each of a line or two'),
  long(['src/cli/hooks/calls.ts'], { function: 140 }, 'a list of subcommands'),
  long(['src/event-hooks/admin/deliveries.ts'], { function: 80 }, 'a list of routes'),
  long(['src/event-hooks/admin/hooks.ts'], { function: 80 }, 'a list of routes'),
  long(['src/server/metrics/server-metrics.ts'], { function: 70 }, 'a list of metrics'),
  long(['plugins/http-log-enterprise/metrics.ts'], { function: 70 }, 'a list of metrics'),
  long(['plugins/http-log-enterprise/record/lua-ngx.ts'], { function: 70 }, 'a table of functions for Lua'),
  long(['plugins/http-log-enterprise/record/lua-view.ts'], { function: 100 }, 'a table of functions for Lua'),
  long(['src/plugin/define.ts'], { function: 80 }, 'a list of checks, one for each member of a definition'),
  long(['src/kong-setup/settings.ts'], { function: 70 }, 'a list of checks'),
  long(['src/kong-setup/doctor/check-dump.ts'], { function: 70 }, 'a list of checks'),
  long(['src/server/supervisor/supervisor.ts'], { function: 70 }, 'what a worker tells, one line for each'),
  long(
    ['src/event-hooks/dispatcher/dispatcher.ts'],
    { function: 90 },
    'the parts of the dispatcher, made in order',
  ),
  long(['src/sandbox/sandbox.ts'], { function: 90 }, 'the parts of the sandbox, made in order'),
  long(['src/sandbox/admin/forward.ts'], { function: 80 }, 'one exchange: every listener needs the others'),
  long(['src/event-hooks/grpc/emit-stream.ts'], { function: 90 }, 'one stream: its closures share its state'),
  long(
    ['src/event-hooks/delivery/pinned-connector.ts'],
    { function: 70 },
    'one connection: every listener needs the others',
  ),
  long(
    ['plugins/http-log-enterprise/record/fields/worker.ts'],
    { function: 90 },
    "one thread: its closures share the thread's state",
  ),
  long(['src/server/metrics/plugin-metrics.ts'], { function: 70 }, 'three instruments over one base'),
);
