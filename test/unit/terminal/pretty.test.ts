import { describe, expect, it } from 'vitest';
import { palette } from '../../../src/terminal/colour.ts';
import { prettyLines, recordOf } from '../../../src/terminal/pretty.ts';
import type { LogRecord } from '../../../src/terminal/pretty.ts';

const time = new Date(2026, 0, 2, 3, 4, 5);
const line = (record: Partial<LogRecord>, colours = false): string =>
  prettyLines({ level: 'error', time, message: 'it failed', fields: {}, ...record }, palette(colours), '/');

describe('a line of the log for people', () => {
  it('has time, level, message and fields', () => {
    expect(line({ level: 'notice', fields: { plugins: ['a', 'b'], ms: 5, of: { a: 1 } } })).toBe(
      '03:04:05 notice it failed plugins=a, b ms=5 of={ a: 1 }\n',
    );
  });

  it('leaves out what the message says and what is for programs', () => {
    const fields = {
      plugin: 'hello',
      phase: 'access',
      pid: 1,
      worker: 0,
      instance: 3,
      code: 'PHASE_TIMEOUT',
    };
    expect(line({ message: 'hello, access: it failed', fields })).toBe(
      '03:04:05 error  hello, access: it failed code=PHASE_TIMEOUT\n',
    );
  });

  it('has reason and stack below', () => {
    const fields = { reason: 'no such file', stack: 'Error: x\n    at node:fs:1:1' };
    expect(line({ fields })).toBe('03:04:05 error  it failed\n  no such file\n  (1 frame of Node)\n');
  });

  it('has colours only where they are wanted', () => {
    expect(line({}, false)).not.toContain('\u001b');
    expect(line({}, true)).toContain('\u001b[31merror');
  });

  it('moves no cursor, whatever a plugin logs', () => {
    const text = line({
      message: 'a\u001b]0;x\u0007',
      fields: { value: 'b\u001b[2J\nc', long: 'x'.repeat(1000) },
    });
    const below = line({
      fields: {
        'name\u001b[2J': 1,
        reason: 'first\n\u001b[2Jsecond',
        stack: 'Error: x\n    at b\u001b[2J (/a/\u0007.ts:1:1)',
      },
    });
    expect(below.trimEnd().split('\n')).toHaveLength(4);
    for (const acts of ['\u001b', '\u0007']) expect(below).not.toContain(acts);
    for (const acts of ['\u001b', '\u0007']) expect(text).not.toContain(acts);
    expect(text.trimEnd().split('\n')).toHaveLength(1);
    expect(text.length).toBeLessThan(500);
  });
});

describe('a line in JSON', () => {
  it('is read as it was written', () => {
    const record = recordOf('{"level":"warn","time":"2026-01-02T03:04:05.000Z","message":"m","a":1}');
    expect(record).toEqual({
      level: 'warn',
      time: new Date('2026-01-02T03:04:05.000Z'),
      message: 'm',
      fields: { a: 1 },
    });
  });

  it('is a line of somebody else where it is not one of ours', () => {
    for (const text of [
      '',
      'text',
      '[]',
      'null',
      '{}',
      '{"level":"loud","message":"m"}',
      '{"level":"warn"}',
    ]) {
      expect(recordOf(text)).toBeNull();
    }
    expect(recordOf('{"level":"warn","message":"m","time":"never"}')?.time).toBeInstanceOf(Date);
  });
});
