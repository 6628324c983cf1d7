import type net from 'node:net';
import { rowByName } from '../../src/pdk/catalogue.ts';
import { encodeFrame, FrameDecoder } from '../../src/wire/protobuf/framing.ts';
import { decodeRpcCall, encodeRpcReturn } from '../../src/wire/protobuf/server-side.ts';
import { decodeResult, encodeArguments } from '../../src/wire/protobuf/server-side.ts';
import { messageOf } from './messages.ts';
import type { Call, ProbePlugin } from './probe-plugin.ts';
import { spoilStart } from './probe-plugin.ts';

const maxFrameBytes = 64 * 1024 * 1024;

interface Waiting {
  readonly resolve: (frame: Buffer) => void;
  readonly reject: (error: Error) => void;
}

/** Kong's calls of one connection, over ProtoBuf:1. */
export function serveProtobuf(
  probe: ProbePlugin,
  connection: net.Socket,
  write: (bytes: Buffer) => void,
): void {
  const frames = new FrameDecoder({ maxFrameBytes });
  const waiting: Waiting[] = [];
  const reply = (): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      waiting.push({ resolve, reject });
    });
  connection.on('close', () => {
    for (const { reject } of waiting.splice(0)) reject(new Error('closed'));
  });
  connection.on('data', (chunk) => {
    for (const frame of frames.push(chunk)) {
      const next = waiting.shift();
      if (next === undefined) command(probe, connection, frame, { write, reply });
      else next.resolve(frame);
    }
  });
}

interface Channel {
  readonly write: (bytes: Buffer) => void;
  readonly reply: () => Promise<Buffer>;
}

function command(probe: ProbePlugin, connection: net.Socket, frame: Buffer, channel: Channel): void {
  const { sequence, command: asked } = decodeRpcCall(frame);
  const status = (instanceId: number): void => {
    const result = {
      type: 'instanceStatus' as const,
      status: { name: probe.name, instanceId, startedAt: Math.floor(Date.now() / 1000) },
    };
    channel.write(encodeFrame(encodeRpcReturn({ sequence, result })));
  };
  if (asked.type === 'startInstance') {
    if (!spoilStart(probe, connection, channel.write)) status(probe.nextId());
  } else if (asked.type === 'closeInstance') status(asked.instanceId);
  else if (asked.type === 'handleEvent') void event(probe, sequence, asked.eventName, channel);
}

async function event(
  probe: ProbePlugin,
  sequence: number | bigint,
  phase: string,
  channel: Channel,
): Promise<void> {
  const calls = probe.callsOf(phase);
  const outcomes = probe.script.mode === 'pipe' ? burst(calls, channel) : null;
  for (const [index, [method, ...args]] of calls.entries()) {
    const row = rowByName(method);
    const type = row?.protobuf?.result ?? 'google.protobuf.Empty';
    const step = { phase, method, args };
    const pending = outcomes?.[index] ?? send([method, ...args], channel);
    try {
      const frame = await pending;
      const v = messageOf(type, decodeResult(type, frame), frame.length);
      const short = type.replace('google.protobuf.', '');
      probe.happened.push({ ...step, ok: { type: short, bytes: frame.length, v } });
    } catch (error) {
      probe.happened.push({ ...step, err: (error as Error).message });
      return;
    }
  }
  channel.write(
    Buffer.concat([encodeFrame(Buffer.alloc(0)), encodeFrame(encodeRpcReturn({ sequence, result: null }))]),
  );
  probe.happened.push({ phase, done: true });
}

function burst(calls: readonly Call[], channel: Channel): Promise<Buffer>[] {
  const pending = calls.map((call) => send(call, channel));
  // Who waits for the first of them hears of the others later.
  for (const each of pending) each.catch(() => undefined);
  return pending;
}

function send([method, ...args]: Call, { write, reply }: Channel): Promise<Buffer> {
  const type = rowByName(method)?.protobuf?.arguments ?? 'google.protobuf.Empty';
  const pending = reply();
  write(Buffer.concat([encodeFrame(Buffer.from(method)), encodeFrame(encodeArguments(type, args))]));
  return pending;
}
