import { Buffer } from 'node:buffer';
import type { PhaseChannel } from '../../../src/pdk/channel.ts';
import { phases } from '../../../src/pdk/names/phases.ts';
import type { Phase } from '../../../src/pdk/names/phases.ts';
import type { StartedInstance } from '../../../src/server/connection/host.ts';
import { lookAtRuntime, serveConnection } from '../../../src/server/connection/index.ts';
import { runtimeOf } from '../../../src/server/connection/runtime.ts';
import { MessageDecoder } from '../../../src/wire/msgpack/framing.ts';
import { FrameDecoder } from '../../../src/wire/protobuf/framing.ts';
import { testHost, testInstance } from '../../support/connection-host.ts';
import type { TestHost } from '../../support/connection-host.ts';
import { listenUnix, turns } from '../../support/unix-server.ts';
import type { Client } from '../../support/unix-server.ts';
import { kongOn, otherThan } from '../../support/fake-kong.ts';
import { readable } from './messages.ts';
import type { Readable } from './messages.ts';
import { rowOf } from './transcript.ts';
import type { Transcript } from './transcript.ts';

/** What a scripted call did: its value, or the error it rejected with. */
export interface Outcome {
  readonly phase: Phase;
  readonly method: string;
  readonly value?: unknown;
  readonly error?: unknown;
}

export interface Replay {
  readonly outcomes: readonly Outcome[];
  /** What the server sent and what was recorded, by connection. */
  readonly sent: ReadonlyMap<number, readonly Readable[]>;
  readonly recorded: ReadonlyMap<number, readonly Readable[]>;
  readonly host: TestHost;
  /** What the server still held at the end. */
  readonly left: ReturnType<typeof lookAtRuntime>;
}

/** Makes one call of a script. */
export type Caller = (channel: PhaseChannel, method: string, args: readonly unknown[]) => Promise<unknown>;

/** The call as it was recorded, without the PDK. */
export const callChannel: Caller = (channel, method, args) => {
  const row = rowOf(method);
  return method === 'kong.response.exit' ? channel.exit(row, args) : channel.call(row, args);
};

/** An instance that is in no recording, of a plugin of the other protocol. */
const other = 77;

/**
 * Feeds Kong's recorded bytes to the server and waits for its answers where Kong had waited.
 * @param call how the script's calls are made
 * @param mixed whether a plugin of the other protocol has an event on each connection first
 * @param merges whether calls are merged: none of the scripts has any to merge
 */
export async function replay(
  transcript: Transcript,
  split: (bytes: Buffer) => Buffer[],
  call: Caller = callChannel,
  mixed = false,
  merges = false,
): Promise<Replay> {
  const outcomes: Outcome[] = [];
  const host = scriptedHost(transcript, outcomes, call, merges);
  const recorded = recordedMessages(transcript);
  giveRecordedEventIds(host, recorded);
  const server = await listenUnix((socket) => void serveConnection(socket, host));
  const connections = new Map<number, { client: Client; read: () => Readable[]; expected: number }>();
  try {
    for (const [kind, number, hex] of transcript.wire) {
      let connection = connections.get(number);
      if (connection === undefined) {
        const client = await server.open();
        if (mixed) {
          const { methods } = await kongOn(client, otherThan(transcript.protocol)).event(other, 'access');
          if (methods.length !== 2) throw new Error('the other plugin did not run');
        }
        connection = { client, read: reader(transcript, client), expected: 0 };
        connections.set(number, connection);
      }
      const { client, read } = connection;
      if (kind === '<') {
        for (const piece of split(Buffer.from(hex, 'hex'))) {
          client.write(piece);
          await turns(1);
        }
      } else if (kind === '>') {
        connection.expected += decode(transcript, Buffer.from(hex, 'hex'));
        const { expected } = connection;
        await client.until(() => read().length >= expected, `message ${expected} of connection ${number}`);
      } else if (kind === 'close') {
        client.end();
        await client.until(() => client.closed, 'the close');
      }
    }
    await turns();
    for (const { client } of connections.values()) client.end();
    for (const { client } of connections.values()) await client.until(() => client.closed, 'the end');
    await turns();
    const sent = new Map([...connections].map(([number, { read }]) => [number, read()]));
    return { outcomes, sent, recorded, host, left: lookAtRuntime(host) };
  } finally {
    await server.close();
  }
}

/** Runs the transcript's script in every phase, for every instance that was started in it. */
function scriptedHost(transcript: Transcript, outcomes: Outcome[], call: Caller, merges: boolean): TestHost {
  const one = async (channel: PhaseChannel, method: string, args: readonly unknown[]) => {
    const { phase } = channel;
    await call(channel, method, args).then(
      (value) => outcomes.push({ phase, method, value }),
      (error: unknown) => {
        outcomes.push({ phase, method, error });
        throw error;
      },
    );
  };
  const handler = async (kong: unknown) => {
    const channel = kong as PhaseChannel;
    const calls = transcript.script[channel.phase] ?? [];
    if (transcript.script.mode === 'pipe') {
      await Promise.all(calls.map(([name, ...args]) => one(channel, name, args)));
    } else for (const [name, ...args] of calls) await one(channel, name, args);
  };
  const handlers = Object.fromEntries(phases.map((phase) => [phase, handler]));
  const unknown = new Set(transcript.calls.map((call) => call.unknown_instance));
  const started = startedIds(transcript);
  return testHost({
    startInstance(name, config) {
      const id = started.shift() ?? 0;
      return Promise.resolve({ id, name, config: JSON.parse(config.toString()) as unknown, startedAt: 1 });
    },
    closeInstance: (id): Promise<StartedInstance> =>
      Promise.resolve({
        id,
        name: transcript.protocol === 'protobuf' ? 'probe-pb' : 'probe-mp',
        config: {},
        startedAt: 1,
      }),
    findInstance: (id) =>
      unknown.has(id) ? null : { ...testInstance(id, id === other ? otherHandlers : handlers), merges },
  });
}

/** The ids that the recorded server gave out, in order. */
function startedIds(transcript: Transcript): number[] {
  const ids: number[] = [];
  let asked = 0;
  for (const [kind, , hex] of transcript.wire) {
    const text = Buffer.from(hex ?? '', 'hex').toString('latin1');
    if (kind === '<' && text.includes('__seq__')) asked++;
    if (kind !== '>' || asked === ids.length) continue;
    const [message] = messagesOf(transcript, Buffer.from(hex, 'hex'));
    if (message?.type === 'started') ids.push(message.id);
  }
  return ids;
}

function recordedMessages(transcript: Transcript): Map<number, Readable[]> {
  const messages = new Map<number, Readable[]>();
  for (const [kind, number, hex] of transcript.wire) {
    if (kind !== '>') continue;
    const list = messages.get(number) ?? [];
    list.push(...messagesOf(transcript, Buffer.from(hex, 'hex'), list));
    messages.set(number, list);
  }
  return messages;
}

/** Kong's recorded steps carry the ids of the recorded events: ours get the same ones, in the same order. */
function giveRecordedEventIds(host: TestHost, recorded: ReadonlyMap<number, readonly Readable[]>): void {
  const ids = [...new Set([...recorded.values()].flat().map((message) => message.eventId))];
  runtimeOf(host).newEventId = () => ids.shift() ?? -1;
  if (ids[0] === undefined) ids.shift();
}

function reader(transcript: Transcript, client: Client): () => Readable[] {
  const before = client.chunks.length;
  return () => messagesOf(transcript, Buffer.concat(client.chunks.slice(before)));
}

/** One call that is waited for, and one whose answer comes after the end of the event. */
const otherHandlers = {
  access: async (kong: unknown): Promise<void> => {
    const channel = kong as PhaseChannel;
    await channel.call(rowOf('kong.ctx.shared.get'), ['k']);
    channel.send(rowOf('kong.ctx.shared.set'), ['k', 'v']);
  },
};

function decode(transcript: Transcript, bytes: Buffer): number {
  return transcript.protocol === 'protobuf'
    ? new FrameDecoder().push(bytes).length
    : new MessageDecoder().push(bytes).length;
}

function messagesOf(transcript: Transcript, bytes: Buffer, before: readonly Readable[] = []): Readable[] {
  return transcript.protocol === 'protobuf'
    ? readable.protobuf(new FrameDecoder().push(bytes), before)
    : readable.msgpack(new MessageDecoder().push(bytes));
}
