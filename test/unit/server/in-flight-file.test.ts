import { fstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InFlightFile } from '../../../src/server/in-flight/file.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'in-flight-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('InFlightFile', () => {
  it('has no name, and all the room that it needs from the beginning', () => {
    const file = InFlightFile.create(join(folder, 'file'));
    expect(readdirSync(folder)).toEqual([]);
    expect(file).not.toBeNull();
    if (file === null) return;
    expect(fstatSync(file.descriptor).size).toBeGreaterThan(64 * 1024);
    expect([file.read(), file.readRequests()]).toEqual([[], []]);
    file.close();
  });

  it.each([['fails'], ['is short']])(
    'leaves no descriptor open where the disk is full: the write %s',
    (how) => {
      let used = -1;
      const write = (descriptor: number): number => {
        used = descriptor;
        if (how === 'is short') return 100;
        throw new Error('ENOSPC');
      };
      expect(InFlightFile.create(join(folder, 'file'), write)).toBeNull();
      expect(() => fstatSync(used)).toThrow('EBADF');
      expect(readdirSync(folder)).toEqual([]);
    },
  );
});
