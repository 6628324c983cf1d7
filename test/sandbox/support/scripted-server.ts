import { rmSync } from 'node:fs';
import net from 'node:net';
import { rowByName } from '../../../src/pdk/catalogue.ts';
import type { ResultMessage } from '../../../src/wire/protobuf/messages.ts';
import { MessageDecoder } from '../../../src/wire/msgpack/framing.ts';
import { encode } from '../../../src/wire/msgpack/writer.ts';
import type { Request } from '../../../src/wire/msgpack/messages.ts';
import { readMessage } from '../../../src/wire/msgpack/messages.ts';
import { encodeFrame, FrameDecoder } from '../../../src/wire/protobuf/framing.ts';
import { decodeRpcCall, encodeRpcReturn } from '../../../src/wire/protobuf/server-side.ts';
import { decodeResult, encodeArguments } from '../../../src/wire/protobuf/server-side.ts';

export type Call = readonly [method: string, ...args: unknown[]];
export type Script = Record<string, readonly Call[]>;

/** What happened: one entry per call, `done` at the end of a phase. */
export interface Happened {
  phase: string;
  method?: string;
  args?: unknown[];
  value?: unknown;
  bytes?: number;
  type?: ResultMessage;
  /** MsgPack:1: the step method, and whether Data was there. */
  via?: string;
  has?: boolean;
  done?: boolean;
  err?: string;
}

export interface ScriptedServer {
  readonly path: string;
  readonly calls: Happened[];
  /** Instances started and closed, in order. */
  readonly instances: { op: 'start' | 'close'; id: number; config?: Record<string, unknown> }[];
  script: Script;
  /** Ids that the server claims not to know. */
  readonly forgotten: Set<number>;
  /** Overrides what happens with an event: `error` (MsgPack:1), `close`, `silent`. */
  mode: 'normal' | 'error' | 'close' | 'silent' | 'garbage' | 'refuse-start';
  /** Resolves when an event of this phase has ended. */
  ended(phase: string): Promise<void>;
  /** Connections that were opened so far. */
  opened: number;
  close(): Promise<void>;
}

/** A plugin server that makes the calls of a script, built on the codecs only. */
export async function scriptedServer(
  path: string,
  protocol: 'protobuf' | 'msgpack',
  script: Script = {},
): Promise<ScriptedServer> {
  const sockets = new Set<net.Socket>();
  const waiters: { phase: string; resolve: () => void }[] = [];
  let nextId = 100_000;
  const state: ScriptedServer = {
    path,
    calls: [],
    instances: [],
    script,
    forgotten: new Set(),
    mode: 'normal',
    opened: 0,
    ended: (phase) => new Promise((resolve) => waiters.push({ phase, resolve })),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      rmSync(path, { force: true });
    },
  };
  const start = (config: string): number => {
    const id = nextId++;
    state.instances.push({ op: 'start', id, config: JSON.parse(config) as Record<string, unknown> });
    return id;
  };
  const finish = (phase: string): void => {
    state.calls.push({ phase, done: true });
    for (const waiter of waiters.splice(0)) {
      if (waiter.phase === phase) waiter.resolve();
      else waiters.push(waiter);
    }
  };
  const server = net.createServer((socket) => {
    state.opened++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    if (protocol === 'protobuf') serveProtobuf(socket, state, start, finish);
    else serveMsgpack(socket, state, start, finish);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return state;
}

function serveProtobuf(
  socket: net.Socket,
  state: ScriptedServer,
  start: (config: string) => number,
  finish: (phase: string) => void,
): void {
  const frames = new FrameDecoder({ maxFrameBytes: 64 * 1024 * 1024 });
  let answer: ((frame: Buffer) => void) | null = null;
  let failed: ((error: Error) => void) | null = null;
  const reply = (): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      answer = resolve;
      failed = reject;
    });
  const event = async (sequence: number | bigint, phase: string): Promise<void> => {
    for (const [method, ...args] of state.script[phase] ?? []) {
      const row = rowByName(method);
      const messages = row?.protobuf ?? {
        arguments: 'google.protobuf.Empty' as const,
        result: 'String' as const,
      };
      const pending = reply();
      socket.write(
        Buffer.concat([
          encodeFrame(Buffer.from(method)),
          encodeFrame(encodeArguments(messages.arguments, args)),
        ]),
      );
      try {
        const frame = await pending;
        const value = decodeResult(messages.result, frame);
        state.calls.push({ phase, method, args, value, bytes: frame.length, type: messages.result });
      } catch (error) {
        state.calls.push({ phase, method, args, err: (error as Error).message });
        return;
      }
    }
    socket.write(
      Buffer.concat([encodeFrame(Buffer.alloc(0)), encodeFrame(encodeRpcReturn({ sequence, result: null }))]),
    );
    finish(phase);
  };
  socket.on('close', () => failed?.(new Error('closed')));
  socket.on('data', (chunk) => {
    for (const frame of frames.push(chunk)) {
      if (answer !== null) {
        const resolve = answer;
        answer = null;
        resolve(frame);
        continue;
      }
      const { sequence, command } = decodeRpcCall(frame);
      const status = (id: number): void => {
        const result = {
          type: 'instanceStatus' as const,
          status: { name: 'p', instanceId: id, startedAt: 1 },
        };
        socket.write(encodeFrame(encodeRpcReturn({ sequence, result })));
      };
      if (command.type === 'startInstance') {
        if (state.mode === 'refuse-start') socket.end();
        else status(start(command.config.toString()));
      } else if (command.type === 'closeInstance') {
        state.instances.push({ op: 'close', id: command.instanceId });
        status(command.instanceId);
      } else if (command.type === 'handleEvent') {
        if (state.mode === 'close' || state.forgotten.delete(command.instanceId)) socket.end();
        else if (state.mode === 'garbage')
          socket.write(Buffer.from([3, 0, 0, 0, 0xff, 0xff, 0xff, 0, 0, 0, 0]));
        else if (state.mode !== 'silent') void event(sequence, command.eventName);
      }
    }
  });
}

function serveMsgpack(
  socket: net.Socket,
  state: ScriptedServer,
  start: (config: string) => number,
  finish: (phase: string) => void,
): void {
  const decoder = new MessageDecoder({ maxMessageBytes: 64 * 1024 * 1024 });
  const respond = (request: Request, error: unknown, result: unknown): void => {
    socket.write(encode([1, request.id, error, result]));
  };
  const next = (request: Request, eventId: number): void => {
    const event = events.get(state)?.get(eventId);
    if (event === undefined) return;
    const call = state.script[event.phase]?.[event.at];
    if (call === undefined) {
      respond(request, null, { Data: 'ret', EventId: eventId });
      events.get(state)?.delete(eventId);
      finish(event.phase);
      return;
    }
    const [Method, ...Args] = call;
    respond(request, null, { Data: { Method, Args }, EventId: eventId });
  };
  socket.on('data', (chunk) => {
    for (const value of decoder.push(chunk)) {
      const request = readMessage(value) as Request;
      const argument = request.args[0] as Record<string, unknown>;
      if (request.method === 'plugin.StartInstance') {
        if (state.mode === 'refuse-start') respond(request, 'will not start', null);
        else {
          const id = start(argument['Config'] as string);
          respond(request, null, { Name: 'p', Id: id, Config: {}, StartTime: 1 });
        }
      } else if (request.method === 'plugin.CloseInstance') {
        state.instances.push({ op: 'close', id: request.args[0] as number });
        respond(request, null, { Name: 'p', Id: request.args[0], Config: {} });
      } else if (request.method === 'plugin.HandleEvent') {
        const id = argument['InstanceId'] as number;
        if (state.forgotten.delete(id)) respond(request, `No plugin instance #${String(id)}`, null);
        else if (state.mode === 'error') respond(request, 'the plugin failed', null);
        else if (state.mode === 'close') socket.end();
        else if (state.mode === 'garbage') socket.write(Buffer.from([0xc1, 0xc1]));
        else if (state.mode !== 'silent') {
          const eventId = ++lastEvent;
          if (!events.has(state)) events.set(state, new Map());
          events.get(state)?.set(eventId, { phase: argument['EventName'] as string, at: 0 });
          next(request, eventId);
        }
      } else {
        const eventId = argument['EventId'] as number;
        const event = events.get(state)?.get(eventId);
        if (event === undefined) continue;
        const [method = '', ...args] = state.script[event.phase]?.[event.at] ?? [];
        const has = 'Data' in argument;
        const { phase } = event;
        state.calls.push({ phase, method, args, via: request.method.slice(7), has, value: argument['Data'] });
        event.at++;
        next(request, eventId);
      }
    }
  });
}

let lastEvent = 0;
const events = new WeakMap<ScriptedServer, Map<number, { phase: string; at: number }>>();
