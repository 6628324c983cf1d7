import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readText } from '../../../src/base/read-text.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-read-text-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const at = (name: string): string => path.join(folder, name);

function pipe(name: string): string {
  execFileSync('mkfifo', [at(name)]);
  return at(name);
}

describe('a text file that somebody names', () => {
  it('is read whole, also where it is longer than one piece and has characters across them', () => {
    const text = `a${'ä'.repeat(100_000)}`;
    writeFileSync(at('long'), text);
    expect(readText(at('long'))).toBe(text);
    writeFileSync(at('empty'), '');
    expect(readText(at('empty'))).toBe('');
  });

  it('may be a pipe, whose writer may take its time', async () => {
    // The writer holds the pipe from its start on, and lets it go with its end.
    const held = openSync(pipe('slow'), 'r+');
    const writer = spawn('sh', ['-c', 'sleep 0.05; printf one; sleep 0.05; printf two'], {
      stdio: ['ignore', held, 'inherit'],
    });
    const ended = once(writer, 'exit');
    await once(writer, 'spawn');
    closeSync(held);
    expect(readText(at('slow'))).toBe('onetwo');
    await ended;
  });

  it('holds nobody up where it is a pipe that nobody writes to', () => {
    expect(readText(pipe('silent'))).toBe('');
  });

  it('is read no further than its limit where it has no end', () => {
    symlinkSync('/dev/zero', at('endless'));
    expect(() => readText(at('endless'), 1_000_000)).toThrow('it is larger than 1000000 bytes');
    writeFileSync(at('large'), 'x'.repeat(1001));
    expect(() => readText(at('large'), 1000)).toThrow('larger than 1000 bytes');
  });

  it('is not a folder, and has to be there', () => {
    expect(() => readText(folder)).toThrow('it is a folder');
    expect(() => readText(at('nowhere'))).toThrow(/ENOENT/);
  });
});
