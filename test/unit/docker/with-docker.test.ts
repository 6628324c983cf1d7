import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const script = path.join(import.meta.dirname, '../../../scripts/with-docker.sh');

/** The script with programs that only pretend: an engine that answers while it runs, and a bridge nobody touches. */
describe.runIf(process.platform === 'linux')(
  'with-docker.sh (skipped where this is not Linux)',
  { timeout: 60_000 },
  () => {
    let place = '';
    const at = (name: string): string => path.join(place, name);
    const log = (): string[] =>
      existsSync(at('log')) ? readFileSync(at('log'), 'utf8').trim().split('\n') : [];

    beforeEach(() => {
      place = mkdtempSync(path.join(tmpdir(), 'kong-ts-with-docker-'));
      const programs: Record<string, string> = {
        docker: `[ "$1" != info ] || [ -e ${at('up')} ]`,
        dockerd: [
          `trap 'rm -f ${at('up')}; echo engine >> ${at('log')}; exit 0' TERM`,
          `touch ${at('up')}`,
          'while :; do sleep 0.1; done',
        ].join('\n'),
        id: 'echo 0',
        ip: 'exit 0',
      };
      for (const [name, text] of Object.entries(programs)) {
        writeFileSync(at(name), `#!/bin/sh\n${text}\n`);
        chmodSync(at(name), 0o755);
      }
    });

    afterEach(() => {
      rmSync(place, { recursive: true, force: true });
    });

    function start(...command: string[]) {
      // Without what npm puts in front.
      const path = (process.env['PATH'] ?? '')
        .split(':')
        .filter((folder) => !folder.endsWith('node_modules/.bin'));
      const child = spawn(script, command, {
        env: { ...process.env, PATH: [place, ...path].join(':') },
        stdio: 'ignore',
      });
      const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
      return { child, ended };
    }

    /** A command that says when it has started and when it has been told to end. */
    const patient = (): string[] => [
      'sh',
      '-c',
      `trap 'echo command >> ${at('log')}; exit 7' TERM; touch ${at('started')}; while :; do sleep 0.1; done`,
    ];

    test("the exit status is the command's, and the engine is ended", async () => {
      const { ended } = start('sh', '-c', 'exit 9');
      expect(await ended).toBe(9);
      expect(log()).toEqual(['engine']);
    });

    test("the command runs with the project's own Node", async () => {
      writeFileSync(at('up'), '');
      const { ended } = start('sh', '-c', `command -v node > ${at('node')}`);
      expect(await ended).toBe(0);
      const own = path.join(import.meta.dirname, '../../../node_modules/.bin/node');
      expect(readFileSync(at('node'), 'utf8').trim()).toBe(own);
    });

    test.each([
      ['SIGTERM', 143],
      ['SIGINT', 130],
    ] as const)('%s ends the command, then the engine', async (signal, status) => {
      const { child, ended } = start(...patient());
      await expect.poll(() => existsSync(at('started'))).toBe(true);
      child.kill(signal);
      expect(await ended).toBe(status);
      expect(log()).toEqual(['command', 'engine']);
    });

    test('with an engine that is there, the command takes the place of the script', async () => {
      writeFileSync(at('up'), '');
      const { child, ended } = start(...patient());
      await expect.poll(() => existsSync(at('started'))).toBe(true);
      child.kill('SIGTERM');
      expect(await ended).toBe(7);
      expect(log()).toEqual(['command']);
    });
  },
);
