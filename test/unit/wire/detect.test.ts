import { Buffer } from 'node:buffer';
import { expect, test } from 'vitest';
import { detectProtocol } from '../../../src/wire/detect.ts';
import { encodeRequest } from '../../../src/wire/msgpack/rpc.ts';
import { encodeFrame } from '../../../src/wire/protobuf/frames.ts';
import { transcripts } from '../../conformance/transcripts/transcript.ts';

const decide = (bytes: Buffer) => {
  for (let length = 0; length <= bytes.length; length++) {
    const protocol = detectProtocol(bytes.subarray(0, length));
    if (protocol !== 'need-more') return protocol;
  }
  return 'need-more';
};

test('the first bytes of every recorded connection', () => {
  for (const { protocol, wire } of transcripts) {
    const first = wire.find(([kind]) => kind === '<');
    expect(decide(Buffer.from(first?.[2] ?? '', 'hex'))).toBe(protocol);
  }
});

test('message ids of any size', () => {
  for (const id of [0, 1, 0x7f, 0x80, 0xffff, 0x10000, 2 ** 40]) {
    expect(decide(encodeRequest(id, 'plugin.HandleEvent', [{}]))).toBe('msgpack');
  }
});

test('frames whose length starts like a request', () => {
  for (const length of [0x94, 0x94 + 0x10000, 0x94 + 0x7f0000]) {
    expect(decide(encodeFrame(Buffer.alloc(length)).subarray(0, 8))).toBe('protobuf');
  }
});
