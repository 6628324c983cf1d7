import { expect, test } from 'vitest';
import { decodeValue } from '../../../src/wire/msgpack/reader.ts';
import { OpenStarts } from '../../../src/server/supervisor/open-starts.ts';

const record = { id: 77, name: 'p', config: Buffer.from('{"n":5}'), startedAt: 9 };
const asked = (ticket: number, protocol: 'msgpack' | 'protobuf') => ({ ticket, protocol, request: 3 });

test('what a worker has left to answer is answered with its id, once, over either protocol', () => {
  const starts = new OpenStarts<string>();
  starts.add('one', asked(1, 'msgpack'), record);
  starts.add('one', asked(2, 'protobuf'), record);
  starts.add('two', asked(3, 'msgpack'), record);
  const taken = starts.takeOf('one');
  expect([...taken.keys()]).toEqual([1, 2]);
  const result = { Name: 'p', Id: 77, Config: { n: 5 }, StartTime: 9 };
  expect(decodeValue(taken.get(1)?.answer ?? Buffer.alloc(0))).toEqual([1, 3, null, result]);
  // RpcReturn { sequence 1: 3, instance_status 33: { name 1: "p", instance_id 2: 77, started_at 4: 9 } }
  expect(taken.get(2)?.answer.toString('hex')).toBe('0c0000000803' + '8a0207' + '0a0170' + '104d' + '2009');
  expect(starts.takeOf('one').size).toBe(0);
  expect(starts.size).toBe(1);
});

test('what has been answered, or whose connection is gone, is not answered again', () => {
  const starts = new OpenStarts<string>();
  starts.add('one', asked(1, 'protobuf'), record);
  starts.close(1);
  expect([starts.takeOf('one').size, starts.size]).toEqual([0, 0]);
});
