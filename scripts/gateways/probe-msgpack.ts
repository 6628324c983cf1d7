import type net from 'node:net';
import { MessageDecoder } from '../../src/wire/msgpack/framing.ts';
import { encodeResponse } from '../../src/wire/msgpack/server-side.ts';
import type { Request } from '../../src/wire/msgpack/messages.ts';
import { readMessage } from '../../src/wire/msgpack/messages.ts';
import { plain } from './messages.ts';
import type { Call, ProbePlugin } from './probe-plugin.ts';
import { spoilStart } from './probe-plugin.ts';

const maxMessageBytes = 64 * 1024 * 1024;

interface Event {
  readonly phase: string;
  readonly calls: readonly Call[];
  at: number;
}

/** Events of MsgPack:1 are known by their number alone: their steps may come on any connection. */
const events = new WeakMap<ProbePlugin, Map<number, Event>>();
let lastEvent = 0;

type Respond = (request: Request, result: unknown) => void;

/** Kong's calls of one connection, over MsgPack:1. */
export function serveMsgpack(
  probe: ProbePlugin,
  connection: net.Socket,
  write: (bytes: Buffer) => void,
): void {
  const decoder = new MessageDecoder({ maxMessageBytes });
  const respond: Respond = (request, result) => write(encodeResponse(request.id, null, result));
  connection.on('data', (chunk) => {
    for (const value of decoder.push(chunk)) {
      const message = readMessage(value);
      if (message.type === 'request') answer(probe, connection, message, { respond, write });
    }
  });
}

function answer(
  probe: ProbePlugin,
  connection: net.Socket,
  request: Request,
  { respond, write }: { respond: Respond; write: (bytes: Buffer) => void },
): void {
  const argument = Object(request.args[0]) as Record<string, unknown>;
  switch (request.method) {
    case 'plugin.StartInstance': {
      if (spoilStart(probe, connection, write)) return;
      const Config = JSON.parse(String(argument['Config'])) as unknown;
      respond(request, { Name: probe.name, Id: probe.nextId(), Config, StartTime: 1 });
      return;
    }
    case 'plugin.CloseInstance':
      respond(request, { Name: probe.name, Id: request.args[0], Config: {} });
      return;
    case 'plugin.HandleEvent': {
      const id = ++lastEvent;
      const phase = String(argument['EventName']);
      const own = events.get(probe) ?? new Map<number, Event>();
      events.set(probe, own.set(id, { phase, calls: probe.callsOf(phase), at: 0 }));
      next(probe, request, id, respond);
      return;
    }
    default:
      step(probe, request, argument, respond);
  }
}

function step(
  probe: ProbePlugin,
  request: Request,
  argument: Record<string, unknown>,
  respond: Respond,
): void {
  const id = Number(argument['EventId']);
  const event = events.get(probe)?.get(id);
  const call = event?.calls[event.at];
  if (event === undefined || call === undefined) return;
  const [method, ...args] = call;
  const has = 'Data' in argument;
  const via = request.method.replace('plugin.', '');
  const ok = has ? { via, has, v: plain(argument['Data']) } : { via, has };
  probe.happened.push({ phase: event.phase, method, args, ok });
  event.at++;
  next(probe, request, id, respond);
}

function next(probe: ProbePlugin, request: Request, id: number, respond: Respond): void {
  const event = events.get(probe)?.get(id);
  if (event === undefined) return;
  const call = event.calls[event.at];
  if (call === undefined) {
    events.get(probe)?.delete(id);
    respond(request, { Data: 'ret', EventId: id });
    probe.happened.push({ phase: event.phase, done: true });
    return;
  }
  const [Method, ...Args] = call;
  respond(request, { Data: { Method, Args }, EventId: id });
}
