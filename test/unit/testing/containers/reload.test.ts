import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { StartedTestContainer } from 'testcontainers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Sandbox } from '../../../../src/sandbox/index.ts';
import { startSandbox } from '../../../../src/sandbox/index.ts';
import { LogBook } from '../../../../src/testing/containers/log-book.ts';
import { StartedKongContainer } from '../../../../src/testing/containers/started.ts';

const config = (name: string): string =>
  JSON.stringify({ _format_version: '3.0', services: [{ name, url: 'http://127.0.0.1:1' }] });

let folder: string;
let sandbox: Sandbox;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'kts-'));
  const file = path.join(folder, 'kong.json');
  writeFileSync(file, config('first'));
  sandbox = await startSandbox({
    config: [file],
    proxyListen: 'off',
    adminListen: '127.0.0.1:0',
    database: 'off',
    workers: 2,
    log: () => undefined,
  });
});

afterEach(async () => {
  await sandbox.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A Kong in a "container" whose `kong reload` comes back before anything has happened, as Kong's does. */
function started(processes: () => string = () => ''): StartedKongContainer {
  const container = {
    getHost: () => '127.0.0.1',
    getMappedPort: () => Number(new URL(sandbox.adminUrl ?? '').port),
    copyContentToContainer: async ([{ content }]: [{ content: string }]) =>
      writeFileSync(path.join(folder, 'kong.json'), content),
    exec: async ([command]: string[]) => {
      if (command === 'kong') void sandbox.reload();
      return { exitCode: 0, output: command === 'kong' ? '' : processes() };
    },
  } as unknown as StartedTestContainer;
  return new StartedKongContainer(
    {
      options: { declarativeConfig: {} },
      container,
      log: new LogBook(),
      host: null,
      inside: null,
      database: null,
      timeout: 10_000,
    },
    null,
  );
}

const names = (): (string | null)[] => sandbox.store.snapshot().services.map(({ name }) => name);

test('a configuration right after a reload stays, whatever the reload has read before', async () => {
  const kong = started();
  await kong.reload(config('reloaded'));
  expect(names()).toEqual(['reloaded']);
  await kong.configure(config('changed'));
  // What would overwrite it comes within this time.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  expect(names()).toEqual(['changed']);
});

test('a reload waits until no old worker takes requests', async () => {
  const worker = '/proc/21/cmdline:nginx: worker process';
  const before = `${worker}\n/proc/22/cmdline:nginx: worker process\n`;
  const states = [
    before,
    `${before}/proc/31/cmdline:nginx: worker process\n`,
    `${worker} is shutting down\n${worker.replace('21', '22')}\n/proc/31/cmdline:nginx: worker process\n`,
    `${worker} is shutting down\n/proc/31/cmdline:nginx: worker process\n`,
  ];
  let asked = 0;
  await started(() => states[Math.min(asked++, states.length - 1)] ?? '').reload();
  expect(asked).toBe(states.length);
});
