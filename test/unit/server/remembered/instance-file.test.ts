import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { InstanceRecord } from '../../../../src/server/ipc/messages.ts';
import { createCallbackLog } from '../../../../src/server/log/server-log.ts';
import { InstanceFile } from '../../../../src/server/remembered/instance-file.ts';
import { readLine, recordLine } from '../../../../src/server/remembered/line.ts';
import { RememberedInstances } from '../../../../src/server/remembered/remembered-instances.ts';

let folder: string;
let path: string;
let warnings: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kts-'));
  path = join(folder, 'k.sock.instances');
  warnings = [];
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function server(mostBytes?: number): RememberedInstances {
  const log = createCallbackLog('warn', (_level, fields) => warnings.push(String(fields['reason'])));
  return new RememberedInstances(
    new InstanceFile({ path, log, ...(mostBytes === undefined ? {} : { mostBytes }) }),
  );
}

const record = (id: number, text = '{"a":1}'): InstanceRecord => ({
  id,
  name: 'some-plugin',
  config: Buffer.from(text),
  startedAt: 1_700_000_000,
});

describe('instances in a file', () => {
  it('are known to the next server, and to one that lives at the same time', () => {
    const first = server();
    first.add(record(7));
    const second = server();
    expect(second.find(7)).toEqual(record(7));
    first.add(record(8, '{"späte":"Änderung"}'));
    second.add(record(9));
    expect([second.find(8), first.find(9)]).toEqual([record(8, '{"späte":"Änderung"}'), record(9)]);
    expect([second.find(10), second.recalled, second.unknown]).toEqual([null, 2, 1]);
    expect(second.add(record(8))).toBe(false);
    first.remove(9);
    expect(server().find(9)).toBe(null);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(warnings).toEqual([]);
  });

  it('survive a line that a killed process has not finished, and lines of anybody', () => {
    server().add(record(1));
    appendFileSync(path, recordLine(record(2)).slice(0, 30));
    server().add(record(3));
    appendFileSync(
      path,
      '\nnull\n[]\n{"id":-1,"name":"x","at":1,"config":""}\n{"id":5,"name":"x","at":1,"config":"%"}\n',
    );
    const next = server();
    expect([1, 2, 3, 5].map((id) => next.find(id)?.id ?? null)).toEqual([1, null, 3, null]);
  });

  it('stay bounded: the file is written anew with the latest ones', () => {
    const first = server(20_000);
    for (let id = 1; id <= 400; id++) first.add(record(id));
    expect(statSync(path).size).toBeLessThan(21_000);
    const next = server(20_000);
    expect(next.find(400)).toEqual(record(400));
    expect(next.find(1)).toBe(null);
    expect(readdirSync(folder)).toEqual(['k.sock.instances']);
  });

  it.each<[string, () => void, RegExp]>([
    ['others can open', () => chmodSync(path, 0o640), /others can open it \(mode 640\)/],
    ['has another name', () => linkSync(path, join(folder, 'other')), /another name/],
    [
      'is a symbolic link',
      () => {
        writeFileSync(join(folder, 'real'), readFileSync(path), { mode: 0o600 });
        rmSync(path);
        symlinkSync(join(folder, 'real'), path);
      },
      /ELOOP/,
    ],
    ['is too large', () => appendFileSync(path, Buffer.alloc(3_000_000, 10)), /too large/],
  ])('are not taken from a file that %s, which is left as it is', (_name, change, reason) => {
    server().add(record(1));
    change();
    const before = readFileSync(path);
    const next = server(100_000);
    expect(next.find(1)).toBe(null);
    expect(next.add(record(2))).toBe(true);
    expect(next.find(2)).toEqual(record(2));
    expect(warnings).toEqual([expect.stringMatching(reason)]);
    expect(readFileSync(path)).toEqual(before);
  });
});

it('a line holds any configuration, and any other line is nothing or an instance', () => {
  const records = fc.record({
    id: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    name: fc.string({ minLength: 1, maxLength: 40 }),
    config: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    startedAt: fc.nat(),
  });
  fc.assert(
    fc.property(records, (one) => {
      expect(readLine(recordLine(one).slice(1, -1))?.record).toEqual(one);
    }),
  );
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (line) => void readLine(line)));
});
