import type { Buffer } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import { ExitSignal } from '../../../src/pdk/channel.ts';
import { lookAtRuntime } from '../../../src/server/connection/index.ts';
import { callChannel, replay } from './replay.ts';
import { recordedValue, transcripts, withoutZeros } from './transcript.ts';
import type { Transcript } from './transcript.ts';

const whole = (bytes: Buffer) => [bytes];

const byteByByte = (bytes: Buffer) =>
  Array.from({ length: bytes.length }, (_, at) => bytes.subarray(at, at + 1));

/** Calls that Kong answered, in order; those that it never answered have an error. */
function recordedCalls(transcript: Transcript) {
  return transcript.calls.filter((call) => call.method !== undefined);
}

async function check(
  transcript: Transcript,
  split: (bytes: Buffer) => Buffer[],
  mixed = false,
  merges = false,
): Promise<void> {
  const { outcomes, sent, recorded, host, left } = await replay(
    transcript,
    split,
    callChannel,
    mixed,
    merges,
  );

  for (const [connection, messages] of recorded) expect(sent.get(connection)).toEqual(messages);

  const answered = recordedCalls(transcript).filter((call) => call.err === undefined);
  const resolved = outcomes.filter((outcome) => !('error' in outcome));
  expect(resolved.map((outcome) => outcome.method)).toEqual(answered.map((call) => call.method));
  answered.forEach((call, index) => {
    const value = recordedValue(transcript, call);
    expect([call.method, withoutZeros(resolved[index]?.value)]).toEqual([call.method, withoutZeros(value)]);
  });

  for (const outcome of outcomes) {
    if (!('error' in outcome)) continue;
    if (outcome.method === 'kong.response.exit') expect(outcome.error).toBeInstanceOf(ExitSignal);
    else expect(outcome.error).toMatchObject({ code: 'PDK_CALL_FAILED' });
  }

  // A call that Kong rejects over MsgPack:1 leaves its event behind until its time is over.
  const rejected = transcript.protocol === 'msgpack' && /error$/.test(transcript.name) ? 1 : 0;
  expect(left).toMatchObject({ connections: 0, events: rejected, steppedEvents: rejected });
  host.clock.advance(100_000);
  expect(lookAtRuntime(host)).toEqual({ connections: 0, events: 0, steppedEvents: 0, deadlines: 0 });
  expect(host.lines.filter((line) => line.level === 'error')).toHaveLength(rejected);
}

describe.each(transcripts.map((transcript) => [transcript.name, transcript] as const))(
  '%s',
  (_name, transcript) => {
    test('whole', () => check(transcript, whole));
    test('byte by byte', () => check(transcript, byteByByte));
    test('with merging', () => check(transcript, whole, false, true));
    test('on connections that the other protocol has used', () => check(transcript, whole, true));
  },
);

test('there are transcripts of both protocols', () => {
  expect(new Set(transcripts.map(({ protocol }) => protocol))).toEqual(new Set(['msgpack', 'protobuf']));
  expect(transcripts.length).toBeGreaterThanOrEqual(34);
});
