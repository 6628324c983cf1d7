import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventFields, readFields } from '../../../../src/cli/hooks/fields.ts';

function file(text: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-fields-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const place = path.join(folder, 'fields.json');
  writeFileSync(place, text);
  return place;
}
const read = (...pairs: string[]): unknown => readFields(pairs, undefined, eventFields);

describe('fields of an event on the command line', () => {
  it('are words and numbers of JSON where they look like them, and text else', () => {
    expect(read('a=1', 'b=true', 'c=null', 'd=hello', 'e={"f":[2]}')).toEqual({
      a: 1,
      b: true,
      c: null,
      d: 'hello',
      e: { f: [2] },
    });
  });

  it('stay text where they are text by nature: an event called 1 is "1"', () => {
    expect(read('source=7', 'event=1')).toEqual({ source: '7', event: '1' });
  });

  it('may hold an equals sign, and nest by dots', () => {
    expect(read('entity.name=a=b')).toEqual({ entity: { name: 'a=b' } });
  });

  it.each(['a', '=1', ''])('without a name are refused: %j', (pair) => {
    expect(() => read(pair)).toThrow(
      expect.objectContaining({
        code: 'USAGE',
        message: expect.stringContaining('is not name=value') as string,
      }),
    );
  });

  it('come from a file as they stand there', () => {
    expect(readFields([], file('{"source":7}'), eventFields)).toEqual({ source: 7 });
    expect(() => readFields([], file('{"source":'), eventFields)).toThrow(
      expect.objectContaining({
        code: 'FILE_UNREADABLE',
        message: expect.stringContaining('fields.json') as string,
      }),
    );
  });
});
