import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (name: string): unknown => parse(readFileSync(path.join(root, name), 'utf8'));
const filesOf = (folder: string): string[] =>
  readdirSync(path.join(root, folder)).map((name) => path.join(folder, name));

const manifest = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')));

const step = z.object({ uses: z.string().optional(), run: z.string().optional() });
const workflow = z.object({
  on: z.record(z.string(), z.unknown()),
  permissions: z.record(z.string(), z.string()),
  jobs: z.record(
    z.string(),
    z.object({
      'runs-on': z.string(),
      'timeout-minutes': z.number(),
      permissions: z.record(z.string(), z.string()).optional(),
      steps: z.array(step).min(1),
    }),
  ),
});

const workflows = filesOf('.github/workflows');

describe.each(workflows)('%s', (file) => {
  const { jobs, permissions } = workflow.parse(read(file));
  const steps = Object.values(jobs).flatMap((job) => job.steps);
  const commands = steps.flatMap((each) => (each.run === undefined ? [] : [each.run])).join('\n');

  it('runs scripts and files that are there', () => {
    const scripts = [...commands.matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name ?? '');
    expect(scripts.filter((name) => manifest.scripts[name] === undefined)).toEqual([]);
    const files = [...commands.matchAll(/(?:^|\s)((?:\.ci|scripts|test|bench)\/[\w./-]+)/g)];
    expect(files.filter(([, name]) => !existsSync(path.join(root, name ?? '')))).toEqual([]);
    expect(commands).toMatch(/npm|\.ci\/run/);
  });

  it('may read only, but for the one job that publishes', () => {
    expect(permissions).toEqual({ contents: 'read' });
    const more = Object.entries(jobs).filter(([, job]) => job.permissions !== undefined);
    expect(more.map(([name]) => name)).toEqual(file.endsWith('release.yml') ? ['publish'] : []);
  });

  it('puts nothing that others write into a shell', () => {
    // Names of branches, titles and inputs reach a shell by the environment only.
    expect(commands).not.toMatch(/\$\{\{/);
  });

  it('names a version of each action', () => {
    const actions = steps.flatMap((each) => (each.uses === undefined ? [] : [each.uses]));
    expect(actions.filter((action) => !/^[\w-]+\/[\w-]+@v\d+$/.test(action))).toEqual([]);
  });
});

it('the first two commands of README.md are what the workflows run', () => {
  const text = workflows.map((file) => readFileSync(path.join(root, file), 'utf8')).join('\n');
  expect(text).toContain('npm start');
  expect(text).toContain('.ci/run');
});

it('Dependabot looks at folders that are there', () => {
  const { updates } = z
    .object({ updates: z.array(z.object({ 'package-ecosystem': z.string(), directory: z.string() })) })
    .parse(read('.github/dependabot.yml'));
  expect(updates.map((update) => update['package-ecosystem'])).toEqual([
    'npm',
    'npm',
    'github-actions',
    'docker',
  ]);
  expect(updates.filter(({ directory }) => !existsSync(path.join(root, directory)))).toEqual([]);
});

it('forms of the tracker ask with fields that GitHub knows', () => {
  const form = z.strictObject({
    name: z.string(),
    description: z.string(),
    labels: z.array(z.string()),
    body: z.array(
      z.object({
        type: z.enum(['markdown', 'textarea', 'input', 'dropdown', 'checkboxes']),
        attributes: z.record(z.string(), z.unknown()),
      }),
    ),
  });
  const forms = filesOf('.github/ISSUE_TEMPLATE').filter((name) => !name.endsWith('config.yml'));
  expect(forms.map((file) => form.safeParse(read(file)).error)).toEqual(forms.map(() => undefined));
});
