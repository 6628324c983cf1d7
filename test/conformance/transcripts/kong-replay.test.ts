import type { Buffer } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import type { PhaseChannel } from '../../../src/pdk/channel.ts';
import { createKong, ExitSignal } from '../../../src/pdk/index.ts';
import type { KongApi } from '../../../src/pdk/index.ts';
import { lookAtRuntime } from '../../../src/server/connection/index.ts';
import { callByPath } from '../../unit/pdk/fake-channel.ts';
import { expectedValues } from './expected-values.ts';
import type { Expected } from './expected-values.ts';
import type { Readable } from './messages.ts';
import { callChannel, replay } from './replay.ts';
import type { Caller } from './replay.ts';
import { rowOf, transcripts } from './transcript.ts';
import type { Transcript } from './transcript.ts';

/** Functions that we make of other calls, with the reason: the recorded answers do not fit those. */
const madeOtherwise: Readonly<Record<string, string>> = {
  'kong.request.get_query_arg': 'asks get_raw_query, since `?flag` makes Kong itself fail',
  'kong.request.get_body': 'parsed here, the same way over both protocols',
  'kong.service.request.set_body': 'encoded here, the same way over both protocols',
};

/** The same in the log phase, where Kong can have what it cannot send, and then raises. */
const madeOtherwiseInLog: Readonly<Record<string, string>> = {
  'kong.client.get_consumer': 'comes out of the record',
  'kong.client.get_credential': 'comes out of the record',
};
/** The same over ProtoBuf:1 alone. */
const madeOtherwiseInProtobufLog: Readonly<Record<string, string>> = {
  'kong.request.get_uri_captures': 'is refused',
};
function otherwise(method: string, { protocol, phase }: Pick<PhaseChannel, 'protocol' | 'phase'>): boolean {
  if (method in madeOtherwise) return true;
  if (phase !== 'log') return false;
  return method in madeOtherwiseInLog || (protocol === 'protobuf' && method in madeOtherwiseInProtobufLog);
}

/** Arguments that travel otherwise than the probe's, with the reason. */
const otherArguments: readonly { method: string; recorded: unknown; ours: unknown; reason: string }[] = [
  {
    method: 'kong.request.get_raw_body',
    recorded: [1_000_000],
    ours: [0],
    reason: 'a size that is too small is a 500 in Kong, so it is looked at here',
  },
  {
    method: 'kong.client.get_protocol',
    recorded: [],
    ours: [false],
    reason: 'the flag is always sent; false is the default',
  },
  {
    method: 'kong.request.get_raw_body',
    recorded: [],
    ours: [0],
    reason: 'without a size Kong answers a body on disk with a 500; 0 means no limit',
  },
  {
    method: 'kong.ctx.shared.set',
    recorded: ['k', { a: [1, 'x', true, null], b: { c: 1.5 } }],
    ours: ['k', { a: [1, 'x', true], b: { c: 1.5 } }],
    reason:
      'a null at the end of a list does not exist in Lua, and becomes the text NULL_VALUE over ProtoBuf:1',
  },
  {
    method: 'kong.log.notice',
    recorded: ['m', 1, true, { a: 1 }],
    ours: ['m', 1, true, '{"a":1}'],
    reason: 'Kong writes a table as "table: 0x...": objects travel as JSON text',
  },
];

/** Calls that Kong answers with a 500 to the client. We refuse them, with these codes, and go on without them. */
const refused: Readonly<Record<string, string>> = {
  'log-phase-error': 'PDK_NOT_IN_PHASE',
  'lua-error': 'PDK_INVALID_ARGUMENT',
};
/** The file of the recorded body is not on this machine. */
const noFile = 'protobuf-body-on-disk';

const scenarioOf = ({ name }: Transcript) => name.replace(/^(protobuf|msgpack)-/, '');

/** Every call of a script through the real PDK. */
function throughKong(): Caller {
  const apis = new WeakMap<PhaseChannel, KongApi>();
  return (channel, method, args) => {
    if (otherwise(method, channel)) return callChannel(channel, method, args);
    let kong = apis.get(channel);
    if (kong === undefined) {
      kong = createKong(channel);
      apis.set(channel, kong);
    }
    return callByPath(kong, rowOf(method).path, args);
  };
}

/** Our messages with the probe's arguments in place of those that are listed as different. */
function alike(ours: readonly Readable[], recorded: readonly Readable[]): Readable[] {
  let named = '';
  return ours.map((message, at) => {
    if (message.type === 'method') named = message.method;
    if (message.type !== 'args' && message.type !== 'call') return message;
    const method = message.type === 'call' ? message.method : named;
    const text = JSON.stringify(message.args);
    const theirs = recorded[at];
    const listed = otherArguments.some(
      (other) =>
        other.method === method &&
        JSON.stringify(other.ours) === text &&
        theirs?.type === message.type &&
        JSON.stringify(theirs.args) === JSON.stringify(other.recorded),
    );
    return listed && theirs?.type === message.type ? { ...message, args: theirs.args } : message;
  });
}

const byName = (list: readonly Expected[]) => [...list].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));

const whole = (bytes: Buffer) => [bytes];
const byteByByte = (bytes: Buffer) =>
  Array.from({ length: bytes.length }, (_, at) => bytes.subarray(at, at + 1));

async function check(transcript: Transcript, split: (bytes: Buffer) => Buffer[]): Promise<void> {
  const scenario = scenarioOf(transcript);
  const { outcomes, sent, recorded, host } = await replay(transcript, split, throughKong());
  const code = transcript.name === noFile ? 'PDK_BODY_UNAVAILABLE' : refused[scenario];
  if (code === undefined) {
    for (const [connection, messages] of recorded) {
      expect(alike(sent.get(connection) ?? [], messages)).toEqual(messages);
    }
  } else {
    expect(outcomes.filter((outcome) => 'error' in outcome)).toMatchObject([{ error: { code } }]);
  }
  const phase = /^(?:protobuf|msgpack)-log-(?:phase|unbuffered)$/.test(transcript.name) ? 'log' : 'access';
  const protocol = transcript.name.startsWith('protobuf') ? 'protobuf' : 'msgpack';
  const left = (method: string) => otherwise(method, { protocol, phase });
  const values = outcomes
    .filter((outcome) => !('error' in outcome) && !left(outcome.method))
    .map(({ method, value }): Expected => [method, value]);
  const all = transcript.name === noFile ? [] : (expectedValues[scenario] ?? []);
  const expected = all.filter(([method]) => !left(method));
  // Calls that were started together settle in any order; in which they travelled has been compared above.
  const together = transcript.script.mode === 'pipe';
  expect(together ? byName(values) : values).toEqual(together ? byName(expected) : expected);
  for (const { method, error } of outcomes) {
    if (method === 'kong.response.exit') expect(error).toBeInstanceOf(ExitSignal);
  }
  host.clock.advance(100_000);
  expect(lookAtRuntime(host)).toEqual({ connections: 0, events: 0, steppedEvents: 0, deadlines: 0 });
}

describe.each(transcripts.map((transcript) => [transcript.name, transcript] as const))(
  '%s, through the PDK',
  (_name, transcript) => {
    test('asks the same calls and returns the right values', () => check(transcript, whole));
    // The body of 60 kB in threes takes long and shows nothing that the replay without the PDK does not.
    test('byte by byte', () => check(transcript, byteByByte));
  },
);

test('every difference that is listed is there', () => {
  const scripted = transcripts.flatMap(({ script }) => Object.values(script).flat() as unknown[]);
  const calls = scripted.filter((call): call is [string, ...unknown[]] => Array.isArray(call));
  const names = new Set(calls.map(([name]) => name));
  for (const method of Object.keys(madeOtherwise)) expect(names).toContain(method);
  for (const { method, recorded } of otherArguments) {
    expect(calls.some((call) => JSON.stringify(call) === JSON.stringify([method, ...(recorded as [])]))).toBe(
      true,
    );
  }
});
