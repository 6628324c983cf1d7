import type { ChildProcess } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { processesWith } from '../support/processes.ts';
import { until } from '../support/until.ts';
import { Person } from './support/person.ts';

const { kongTs, create } = inject('tarballs');

// The project does what it says on any Node that npm runs on.
describe.each(['own', '24'] as const)('a newcomer with Node: %s', (node) => {
  let person: Person;
  let project: string;
  let ports: { proxy: number; admin: number; hooks: number; other: number };
  let dev: { child: ChildProcess; output: () => string };
  const waited: Record<string, number> = {};

  /** Waits as a person does, and notes for how long. In seconds. */
  async function wait<Result>(what: string, work: Promise<Result>): Promise<Result> {
    const begun = performance.now();
    const result = await work;
    waited[what] = Math.round((performance.now() - begun) / 100) / 10;
    return result;
  }

  const file = (name: string): string => path.join(project, name);
  const edit = (name: string, from: string, to: string): void => {
    const before = readFileSync(file(name), 'utf8');
    expect(before).toContain(from);
    writeFileSync(file(name), before.replace(from, to));
  };
  const printed = (text: string): Promise<true> =>
    until(`"${text}" in:\n${dev.output()}`, () => {
      if (dev.child.exitCode !== null) throw new Error(dev.output());
      return dev.output().includes(text) ? true : null;
    });
  const answer = async (target = '/'): Promise<{ status: number; served: string | null; text: string }> => {
    const response = await fetch(`http://127.0.0.1:${String(ports.proxy)}${target}`);
    return {
      status: response.status,
      served: response.headers.get('x-served-by'),
      text: await response.text(),
    };
  };
  const live = (look: (text: string) => boolean): Promise<true> =>
    until('the change', async () => (look((await answer()).text) ? true : null));

  beforeAll(async () => {
    person = new Person(node);
    project = path.join(person.folder, 'my-plugin');
    ports = {
      proxy: await freePort(),
      admin: await freePort(),
      hooks: await freePort(),
      other: await freePort(),
    };
  });
  afterAll(async () => {
    await person.leave();
    const lines = Object.entries(waited).map(
      ([what, seconds]) => `  ${what.padEnd(34)} ${seconds.toFixed(1)} s`,
    );
    process.stdout.write(`Waited with Node ${node}:\n${lines.join('\n')}\n`);
  });

  it('creates a project, without a question', async () => {
    const command = `npm exec --yes --package '${create}' -- create-kong-ts my-plugin --kong-ts 'file:${kongTs}'`;
    const output = await wait('create', person.run(command));
    expect(output).toContain('npm run dev');
    expect(readdirSync(project)).toContain('AGENTS.md');
  });

  it('installs it, and is asked for nothing', async () => {
    const output = await wait('npm install', person.run('npm install', project));
    // On an old Node npm says so; the project has a newer one.
    const said = output.split('\n').filter((line) => !(node === 'own' && line.includes('EBADENGINE')));
    expect(said.join('\n')).not.toMatch(/warn/i);
  });

  it('has an own answer through the gateway', async () => {
    const flags = `--proxy-port ${ports.proxy} --admin-port ${ports.admin} --event-hooks-port ${ports.hooks}`;
    dev = person.start(`npm run dev -- ${flags} --upstream-port ${ports.other}`, project);
    await wait('npm run dev', printed('Ctrl-C ends all of it.'));
    // The port of kong.yml is the usual one, which this machine may have given away.
    edit('kong.yml', ':9080', `:${ports.other}`);
    await live((text) => text.includes('x-greeting'));
    expect(await answer('/?name=Ada')).toMatchObject({ status: 200, served: 'my-plugin' });
    await printed('GET /?name=Ada 200');
  });

  it('edits the plugin, kong.yml and the schema, and sees each at once', async () => {
    edit('plugins/my-plugin.ts', "'world'", "'moon'");
    await wait(
      'plugin saved',
      live((text) => text.includes('Good morning, moon!')),
    );
    edit('kong.yml', 'Good morning', 'Good evening');
    await wait(
      'kong.yml saved',
      live((text) => text.includes('Good evening, moon!')),
    );
    edit('plugins/my-plugin.ts', '}),', '  times: z.int().default(2),\n  }),');
    edit('plugins/my-plugin.ts', "'moon'", "'moon'.repeat(config.times)");
    await wait(
      'schema saved',
      live((text) => text.includes('moonmoon')),
    );
  });

  it('breaks the plugin, reads why, and mends it', async () => {
    edit('plugins/my-plugin.ts', 'async access', 'async acess');
    await wait('mistake saved', printed('acess'));
    expect((await answer()).status).toBe(200);
    edit('plugins/my-plugin.ts', 'async acess', 'async access');
    edit('plugins/my-plugin.ts', "'moon'.repeat", "'star'.repeat");
    await wait(
      'mended',
      live((text) => text.includes('starstar')),
    );
  });

  it('ends it with Ctrl-C, and nothing is left', async () => {
    await wait('Ctrl-C', person.interrupt(dev.child));
    expect(dev.output()).toContain('Stopping.');
    expect(processesWith(String(ports.hooks))).toEqual([]);
  });

  it('runs the tests, sees that one fails for what was changed, and mends it', async () => {
    expect(await wait('npm test', person.run('npm test', project))).toContain('pass 3');
    edit('test/my-plugin.test.ts', 'Welcome, Ada!', 'Welcome, Eve!');
    await expect(person.run('npm test', project)).rejects.toThrow('Welcome, Ada!');
    edit('test/my-plugin.test.ts', 'Welcome, Eve!', 'Welcome, Ada!');
  });

  it('checks types and style, and is told of a call that nobody awaits', async () => {
    await wait('npm run check', person.run('npm run check', project));
    edit('plugins/my-plugin.ts', 'await kong.response.setHeader', 'kong.response.setHeader');
    await expect(person.run('npx eslint plugins', project)).rejects.toThrow('no-floating-promises');
    edit('plugins/my-plugin.ts', 'kong.response.setHeader', 'await kong.response.setHeader');
    await person.run('npm run build', project);
    expect(readdirSync(file('dist'))).toEqual(['my-plugin.js']);
  });

  it('reads the documentation without a network', async () => {
    const docs = path.join(project, 'node_modules', 'kong-ts', 'docs');
    expect(readdirSync(docs)).toContain('dev.md');
    const help = await person.run('npx kong-ts --help', project);
    if (/^ {2}docs /m.test(help))
      expect(await person.run('npx kong-ts docs dev', project)).toContain('kong.yml');
  });

  it('sees a first event of event hooks', async () => {
    const command = `npx kong-ts hooks quickstart --once --admin 127.0.0.1:${ports.hooks}`;
    const output = await wait('hooks quickstart', person.run(command, project));
    expect(output).toContain('The receiver got:');
    expect(output).toContain('alice');
  });
});
