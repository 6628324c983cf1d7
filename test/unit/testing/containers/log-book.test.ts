import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { LogBook } from '../../../../src/testing/containers/log-book.ts';
import { watch, watchTest } from '../../../containers/support/watched.ts';

test('what was printed since a mark', () => {
  const log = new LogBook();
  const stream = new PassThrough();
  log.consume(stream);
  stream.emit('data', 'one\n');
  const mark = log.end;
  stream.emit('err', 'two\n');
  expect(log.since(mark)).toBe('two\n');
  expect(log.text).toBe('one\ntwo\n');
  expect(log.since(log.end)).toBe('');
});

test('a mark holds where only the end is kept', () => {
  const log = new LogBook(6);
  log.add('abcd');
  const early = log.end;
  log.add('efgh');
  const late = log.end;
  log.add('ij');
  expect(log.text).toBe('efghij');
  expect([log.since(early), log.since(late), log.since(0)]).toEqual(['efghij', 'ij', 'efghij']);
});

test('a failed test shows its own lines of error.log, and none of access.log or of the test before', () => {
  const log = new LogBook();
  watch({ logs: (since) => log.since(since?.kong ?? 0), logMark: () => ({ kong: log.end, server: 0 }) });
  log.add('2026/11/28 01:00:00 [error] 12#0: of the test before\n');
  const printed = watchTest();
  log.add(
    '2026/11/28 01:00:01 [error] 12#0: of this test\n192.0.2.1 - - [28/Nov/2026:01:00:01 +0000] "GET / HTTP/1.1" 500\n',
  );
  // One that is started during the test has all of its lines shown.
  const second = new LogBook();
  watch({
    logs: (since) => second.since(since?.kong ?? 0),
    logMark: () => ({ kong: second.end, server: 0 }),
  });
  second.add('from its start on\n');
  expect(printed()).toBe(
    'Kong 1 printed 1 lines during this test:\n2026/11/28 01:00:01 [error] 12#0: of this test\n' +
      'Kong 2 printed 1 lines during this test:\nfrom its start on',
  );
});

test('of many lines the last ones are shown', () => {
  const log = new LogBook();
  const printed = watchTest();
  watch({ logs: () => log.text, logMark: () => ({ kong: 0, server: 0 }) });
  log.add('line\n'.repeat(1000) + 'the last\n');
  const said = printed();
  expect(said).toContain('printed 1001 lines during this test, the last 300 of them:');
  expect(said.endsWith('line\nthe last')).toBe(true);
});
