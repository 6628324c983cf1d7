/**
 * Checks the package as npm would publish it: its entry points (publint, attw), and that the installed files work on
 * their own, without a checkout around them and with the dependencies only that package.json names.
 *
 * Run it after the build.
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../src/base/errors.ts';
import { brokenLinks } from './check-links.ts';
import { compileDeclarations, compilePlugins, typescriptVersions } from './typescript-versions.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-package-'));

function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status === 0) return stdout;
  throw new Error(`${path.basename(command)} ${args.join(' ')} failed:\n${error?.message ?? stdout}`);
}

const tool = (name: string): string => path.join(root, 'node_modules', '.bin', name);

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** What `npm install kong-ts` leaves in a folder: the package's files, and its dependencies beside it. */
function install(tarball: string, into: string): void {
  const modules = path.join(into, 'node_modules');
  const own = path.join(modules, 'kong-ts');
  mkdirSync(own, { recursive: true });
  run('tar', ['-xzf', tarball, '-C', own, '--strip-components=1'], into);
  const { dependencies } = JSON.parse(readFileSync(path.join(own, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const name of [...Object.keys(dependencies), '@types/node', 'vitest', 'graphql']) {
    mkdirSync(path.dirname(path.join(modules, name)), { recursive: true });
    symlinkSync(path.join(root, 'node_modules', name), path.join(modules, name));
  }
}

/** Relative imports in the package's code that lead to no file, import() included. */
function missingImports(own: string): string[] {
  return readdirSync(path.join(own, 'dist'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.js') && !file.startsWith('console'))
    .flatMap((file) => {
      const full = path.join(own, 'dist', file);
      const code = readFileSync(full, 'utf8').replaceAll(/^\s*(?:\/?\*|\/\/).*$/gm, '');
      const found = code.matchAll(/(?:from|import)\s*\(?\s*['"](\.{1,2}\/[^'"\n]+)['"]/g);
      return [...found]
        .filter(([, to = '']) => !existsSync(path.join(path.dirname(full), to)))
        .map(([, to = '']) => `${file}: ${to}`);
    });
}

const plugin = `import { definePlugin, z } from 'kong-ts';

export default definePlugin({
  name: 'hello',
  version: '1.0.0',
  config: z.object({ greeting: z.string().default('Hello') }),
  async access(kong, config) {
    // @ts-expect-error the package's types know that it is a string
    const wrong: number = config.greeting;
    return kong.response.exit(200, { message: wrong });
  },
});
`;

const compilerOptions = {
  strict: true,
  noEmit: true,
  target: 'esnext',
  module: 'nodenext',
  skipLibCheck: true,
  types: ['node'],
};

const service = {
  _format_version: '3.0',
  services: [{ name: 'greeter', url: 'http://127.0.0.1:9', routes: [{ name: 'greet', paths: ['/greet'] }] }],
  plugins: [{ name: 'hello', config: { greeting: 'Good morning' } }],
};

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** A request through the installed `sandbox` and `serve`, as the README has it. */
async function tryGateway(cli: string, app: string): Promise<void> {
  const [proxy, admin] = [await freePort(), await freePort()];
  const socket = path.join(app, 'hello.sock');
  const query = `'${process.execPath}' '${cli}' dump ./hello.ts`;
  const commands = [
    ['serve', './hello.ts', '--socket', socket, '--workers', '1'],
    [
      ...['sandbox', '--config', 'kong.yml', '--plugin-server', `hello=${socket},query=${query}`],
      ...['--proxy-listen', `127.0.0.1:${proxy}`, '--admin-listen', `127.0.0.1:${admin}`],
    ],
  ];
  const children = commands.map((args) =>
    spawn(process.execPath, [cli, ...args], { cwd: app, stdio: ['ignore', 'ignore', 'inherit'] }),
  );
  const exits = children.map((child) => new Promise<void>((resolve) => child.once('exit', () => resolve())));
  try {
    const answer = await retry(() => fetch(`http://127.0.0.1:${proxy}/greet`));
    const body = await answer.text();
    if (body !== '{"message":"Good morning"}')
      throw new Error(`the gateway answered ${answer.status} ${body}`);
  } finally {
    for (const child of children) child.kill('SIGTERM');
    await Promise.all(exits);
  }
}

/** A demo that serves a request. */
async function tryDemo(cli: string, app: string): Promise<void> {
  const names = ['--proxy-port', '--admin-port', '--event-hooks-port', '--upstream-port'];
  const ports = await Promise.all(names.map(freePort));
  const args = names.flatMap((name, i) => [name, String(ports[i])]);
  const demo = spawn(process.execPath, [cli, 'demo', ...args], {
    cwd: app,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const exit = new Promise<void>((resolve) => demo.once('exit', () => resolve()));
  try {
    const answer = await retry(() => fetch(`http://127.0.0.1:${ports[0]}/blue/hello`));
    if (answer.status !== 200) throw new Error(`the demo answered ${answer.status}`);
    await answer.arrayBuffer();
  } finally {
    demo.kill('SIGTERM');
    await exit;
  }
}

async function retry(attempt: () => Promise<Response>): Promise<Response> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (tries === 300) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

try {
  run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], root);
  const [name = ''] = readdirSync(folder);
  const tarball = path.join(folder, name);
  say(run(tool('publint'), ['run', tarball, '--strict'], root).trim());
  // A proto file has no types. That it is there, the event hooks' client of the examples shows.
  const notModules = ['--exclude-entrypoints', './proto/event_hooks.proto'];
  run(tool('attw'), [tarball, '--profile', 'esm-only', '--format', 'ascii', ...notModules], root);
  say('attw: the types of every entry point are found.');

  const app = path.join(folder, 'app');
  install(tarball, app);
  const broken = brokenLinks(path.join(app, 'node_modules', 'kong-ts'));
  if (broken.length > 0) throw new Error(`links that lead nowhere in the package:\n${broken.join('\n')}`);
  say('All links of its documents lead to files that it has.');
  const missing = missingImports(path.join(app, 'node_modules', 'kong-ts'));
  if (missing.length > 0) throw new Error(`imports that lead to no file:\n${missing.join('\n')}`);
  say('All relative imports of its code lead to files that it has.');
  writeFileSync(path.join(app, 'package.json'), '{ "type": "module" }\n');
  writeFileSync(path.join(app, 'hello.ts'), plugin);
  writeFileSync(path.join(app, 'kong.yml'), JSON.stringify(service));
  writeFileSync(path.join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['hello.ts'] }));
  run(tool('tsc'), ['-p', '.'], app);
  say('The types work in a plugin of another project.');
  compilePlugins(run, root, app, compilerOptions);
  say(
    `The README's plugins, the examples and the templates compile under TypeScript ${typescriptVersions.join(', ')}.`,
  );
  const { exports } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    exports: Record<string, unknown>;
  };
  // Who imports that one has testcontainers installed.
  const entries = Object.keys(exports).filter(
    (entry) => !(/\.(?:json|proto)$/.test(entry) || entry === './testing/containers'),
  );
  compileDeclarations(run, tool('tsc'), app, compilerOptions, entries);
  say('All declarations compile (skipLibCheck: false), without testcontainers.');

  const cli = path.join(app, 'node_modules', 'kong-ts', 'bin', 'kong-ts.js');
  for (const spec of ['./hello.ts', 'http-log-enterprise']) {
    JSON.parse(run(process.execPath, [cli, 'dump', spec], app));
  }
  await tryGateway(cli, app);
  say('dump, serve and sandbox work as installed.');
  await tryDemo(cli, app);
  say('The demo works as installed.');
} catch (error) {
  process.stderr.write(`The package is not fit to be published: ${messageOf(error)}\n`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
