import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { loadDeclarative } from '../../src/kong-end/declarative/index.ts';
import { dumpDocument, loadPlugin } from '../../src/plugin/index.ts';
import { runCli } from '../support/run-cli.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const create = path.join(root, 'create-kong-ts', 'index.js');
const names = ['plain', 'state', 'http-log', 'event-hooks', 'kong-pdk'] as const;

let folder: string;
const inFolder = (...parts: string[]): string => path.join(folder, ...parts);
const read = (...parts: string[]): string => readFileSync(inFolder(...parts), 'utf8');

interface Ended {
  status: number | null;
  output: string;
}

async function run(command: string, args: readonly string[], cwd = folder, env = {}): Promise<Ended> {
  const child = spawn(command, args, {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, output };
}

const createProject = (...args: string[]): Promise<Ended> => run(process.execPath, [create, ...args]);

const allFiles = (inside: string): string[] =>
  readdirSync(inside, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(inside, path.join(entry.parentPath, entry.name)));

beforeAll(async () => {
  // Not a name that vitest takes for a plugin of a test: Node loads these. People have spaces in their paths.
  folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'kong-ts create ')));
  mkdirSync(inFolder('node_modules', '@types'), { recursive: true });
  symlinkSync(root, inFolder('node_modules', 'kong-ts'));
  symlinkSync(path.join(root, 'node_modules/@types/node'), inFolder('node_modules/@types/node'));
  for (const name of names)
    expect(await createProject(`my-${name}`, '--template', name)).toMatchObject({ status: 0 });
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('npm create kong-ts', () => {
  it('writes a whole project from each template, with its name in every place', () => {
    for (const name of names) {
      const files = allFiles(inFolder(`my-${name}`));
      const plugin = name === 'kong-pdk' ? `plugins/my-${name}.cjs` : `plugins/my-${name}.ts`;
      expect(files.toSorted()).toEqual(
        [
          ...[
            '.dockerignore',
            '.gitignore',
            '.vscode/launch.json',
            '.vscode/settings.json',
            '.vscode/tasks.json',
          ],
          ...['AGENTS.md', 'Dockerfile', 'README.md', 'compose.yaml', 'eslint.config.js', 'kong.yml'],
          ...['package.json', plugin, `test/my-${name}.test.ts`, 'tsconfig.build.json', 'tsconfig.json'],
        ].toSorted(),
      );
      for (const file of files) expect(read(`my-${name}`, file), file).not.toMatch(/__(?:plugin|file)__/i);
    }
    expect(read('my-plain', 'README.md')).toMatch(/^# `my-plain`\n/);
    expect(read('my-plain', 'Dockerfile')).toContain('KONG_PLUGINSERVER_MY_PLAIN_SOCKET');
    expect(JSON.parse(read('my-plain', 'package.json'))).toMatchObject({
      name: 'my-plain',
      type: 'module',
      scripts: { dev: 'kong-ts dev', test: expect.any(String) as unknown, check: 'tsc --noEmit && eslint .' },
    });
  });

  it('writes TypeScript that compiles with the options of its tsconfig.json', () => {
    const { config } = ts.readConfigFile(inFolder('my-plain/tsconfig.json'), (file) =>
      ts.sys.readFile(file),
    ) as {
      config: { compilerOptions: object };
    };
    const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, folder);
    const files = names.flatMap((name) =>
      allFiles(inFolder(`my-${name}`))
        .filter((file) => file.endsWith('.ts'))
        .map((file) => inFolder(`my-${name}`, file)),
    );
    // The sources in place of the compiled package.
    const program = ts.createProgram(files, {
      ...options,
      customConditions: ['kong-ts-source'],
      typeRoots: [path.join(root, 'node_modules/@types')],
    });
    const problems = files.flatMap((file) => {
      const source = program.getSourceFile(file);
      return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    });
    expect(
      problems.map(({ file, messageText }) => [
        file?.fileName,
        ts.flattenDiagnosticMessageText(messageText, '\n'),
      ]),
    ).toEqual([]);
  });

  it('writes tests that pass', async () => {
    const tests = names.map((name) => `my-${name}/test/my-${name}.test.ts`);
    const { status, output } = await run(
      process.execPath,
      ['--test', '--test-isolation=none', ...tests],
      folder,
      {
        NODE_OPTIONS: '--conditions=kong-ts-source',
        // Set by vitest's own runner: a test process of Node prints something else then.
        NODE_TEST_CONTEXT: undefined,
      },
    );
    expect({ status, output: status === 0 ? '' : output }).toEqual({ status: 0, output: '' });
  });

  it('writes a kong.yml that the gateway takes with the plugin', async () => {
    for (const name of names) {
      const plugin = name === 'kong-pdk' ? `my-${name}.cjs` : `my-${name}.ts`;
      const loaded = await loadPlugin(`./plugins/${plugin}`, { cwd: inFolder(`my-${name}`) });
      const [dumped] = dumpDocument([loaded]).Plugins;
      const { Name = '', Version = '', Priority = 0, Phases = [], Schema } = dumped ?? {};
      const schema = { fields: [], ...Schema, name: Name };
      const known = { name: Name, version: Version, priority: Priority, phases: Phases, schema };
      const store = loadDeclarative([inFolder(`my-${name}`, 'kong.yml')], [known]);
      expect(store.snapshot().plugins.map((each) => each.name)).toEqual([`my-${name}`]);
    }
  });

  it.each(names)('has names that YAML would take for something else, from the template %s', async (name) => {
    for (const plugin of ['2024', 'true', '1e3']) {
      expect(await createProject(`${name}/${plugin}`, '--template', name)).toMatchObject({ status: 0 });
      const { services } = parseYaml(read(name, plugin, 'kong.yml')) as {
        services: { plugins: { name: unknown }[] }[];
      };
      expect(services.map(({ plugins }) => plugins.map((each) => each.name))).toEqual([[plugin]]);
    }
  });

  it('prints a way into the folder that a shell understands', async () => {
    const { output } = await createProject("it's a plugin", '--name', 'mine');
    const line = output.split('\n').find((each) => each.startsWith('  cd ')) ?? '';
    expect(await run('sh', ['-c', `${line.trim()} && pwd`])).toEqual({
      status: 0,
      output: `${inFolder("it's a plugin")}\n`,
    });
  });

  it('overwrites nothing, and says what is there', async () => {
    const before = read('my-plain', 'kong.yml');
    writeFileSync(inFolder('my-plain', 'kong.yml'), `${before}# mine\n`);
    const { status, output } = await createProject('my-plain', '--template', 'state');
    expect(status).toBe(1);
    expect(output).toMatch(/nothing is overwritten.*\n$/);
    expect(read('my-plain', 'kong.yml')).toContain('# mine');
    expect(existsSync(inFolder('my-plain', 'plugins', 'my-state.ts'))).toBe(false);
    writeFileSync(inFolder('file'), '');
    expect((await createProject('file')).output).toContain('is a file');
  });

  it.each([
    [['a', 'b'], 2, 'one too many'],
    [['x', '--template', 'nope'], 2, 'Templates are plain, state'],
    [['x', '--nam', 'e'], 2, "Unknown option '--nam'"],
    [['x', '--name', 'Über'], 2, 'lower case letters'],
    [['cors'], 2, 'my-cors'],
    [['...'], 2, 'Give one: --name'],
    [[], 2, 'Name the folder'],
  ])('answers %j with a sentence', async (args, status, sentence) => {
    const ended = await createProject(...args);
    expect(ended.status).toBe(status);
    expect(ended.output).toContain(sentence);
    expect(ended.output.trim().split('\n')).toHaveLength(1);
    expect(existsSync(inFolder('x'))).toBe(false);
  });

  it('asks who has named nothing, again after an answer that is none, and lets go with Ctrl-D', async () => {
    const { ask } = (await import(path.join(root, 'create-kong-ts/lib/ask.js'))) as {
      ask: (setting: object, terminal: object) => Promise<unknown>;
    };
    const terminal = () => ({ input: new PassThrough(), output: new PassThrough() });
    const one = terminal();
    const answers = ask({}, one);
    let shown = '';
    one.output.setEncoding('utf8').on('data', (text: string) => {
      shown += text;
      if (text.includes('Folder of the project')) one.input.write('there\n');
      if (shown.endsWith('Template (1): '))
        one.input.write(shown.includes('is none of them') ? '3\n' : '9\n');
    });
    expect(await answers).toEqual({ folder: 'there', template: 'http-log', name: undefined });
    const other = terminal();
    other.input.end();
    await expect(ask({}, other)).rejects.toThrow('nothing was written');
  });

  it('names the versions that this project itself is tested with', () => {
    const { kongTs, tools } = JSON.parse(
      readFileSync(path.join(root, 'create-kong-ts/lib/versions.json'), 'utf8'),
    ) as { kongTs: string; tools: Record<string, string> };
    const own = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
      version: string;
      devDependencies: Record<string, string>;
    };
    const published = JSON.parse(readFileSync(path.join(root, 'create-kong-ts/package.json'), 'utf8')) as {
      version: string;
    };
    expect(kongTs).toBe(`^${own.version}`);
    expect(published.version).toBe(own.version);
    expect(tools).toEqual(
      Object.fromEntries(Object.keys(tools).map((name) => [name, own.devDependencies[name]])),
    );
  });

  it('is published with everything that it needs', async () => {
    const { output } = await run(
      'npm',
      ['pack', '--dry-run', '--json', '--silent'],
      path.join(root, 'create-kong-ts'),
    );
    const [packed] = Object.values(JSON.parse(output) as Record<string, { files: { path: string }[] }>);
    const files = packed?.files.map((file) => file.path) ?? [];
    for (const file of allFiles(path.join(root, 'create-kong-ts'))) expect(files).toContain(file);
  });
});

describe('kong-ts init', () => {
  it('fills up the present folder, keeps what is there, and says what package.json lacks', async () => {
    const here = inFolder('old-project');
    mkdirSync(here);
    writeFileSync(path.join(here, 'package.json'), '{}\n');
    const { status, stdout } = await runCli(['init', '--template', 'state'], { cwd: here });
    expect(status).toBe(0);
    expect(stdout).toContain('Kept as they were:\n  package.json\n');
    expect(stdout).toContain('npm pkg set type=module');
    expect(readFileSync(path.join(here, 'package.json'), 'utf8')).toBe('{}\n');
    expect(statSync(path.join(here, 'plugins/old-project.ts')).mode & 0o777).toBe(0o644);
    const again = await runCli(['init', '--help'], { cwd: here });
    expect(again.stdout).toContain('Usage: kong-ts init [folder]');
  });

  it('writes nothing where a link leads out of the folder, or a file has the place of a folder', async () => {
    const away = inFolder('away');
    const here = inFolder('linked');
    for (const each of [away, here]) mkdirSync(each);
    symlinkSync(away, path.join(here, 'plugins'));
    const linked = await runCli(['init', '--name', 'mine'], { cwd: here });
    expect(linked).toMatchObject({ status: 1, stdout: '' });
    expect(linked.stderr).toContain('plugins is a link');
    expect([readdirSync(away), readdirSync(here)]).toEqual([[], ['plugins']]);
    rmSync(path.join(here, 'plugins'));
    writeFileSync(path.join(here, 'test'), 'mine');
    const { stderr } = await runCli(['init', '--name', 'mine'], { cwd: here });
    expect(stderr).toContain('test is a file');
    expect(readdirSync(here)).toEqual(['test']);
    rmSync(path.join(here, 'test'));
    symlinkSync(inFolder('nowhere'), path.join(here, 'kong.yml'));
    const { stdout } = await runCli(['init', '--name', 'mine'], { cwd: here });
    expect(stdout).toContain('Kept as they were:\n  kong.yml\n');
    expect(existsSync(inFolder('nowhere'))).toBe(false);
  });

  it('goes into a folder that a link leads to, if that was named', async () => {
    mkdirSync(inFolder('real'));
    symlinkSync(inFolder('real'), inFolder('link'));
    const { status } = await runCli(['init', 'link', '--name', 'mine'], { cwd: folder });
    expect(status).toBe(0);
    expect(readdirSync(inFolder('real'))).toContain('package.json');
  });
});
