import { Buffer } from 'node:buffer';
import type { MessageWriter } from './encoder.ts';
import { encode } from './encoder.ts';
import { decodeValue } from './decoder.ts';
import { malformed } from './framing.ts';

/** `[0, id, method, arguments]`: Kong sends one argument. */
export interface Request {
  readonly type: 'request';
  readonly id: number;
  readonly method: string;
  readonly args: readonly unknown[];
}
/** `[1, id, error, result]`: one of the last two is null. */
export interface Response {
  readonly type: 'response';
  readonly id: number;
  readonly error: unknown;
  readonly result: unknown;
}
/** `[2, name, value]`: only the server sends it. */
export interface Notification {
  readonly type: 'notification';
  readonly name: string;
  readonly value: unknown;
}
export type Message = Request | Response | Notification;

/** How Kong hands a call's result back: `plugin.Step` or, by function, a twin of it (measured on Kong 3.9.3). */
export const stepMethods = [
  'plugin.Step',
  'plugin.StepCredential',
  'plugin.StepRoute',
  'plugin.StepService',
  'plugin.StepConsumer',
  'plugin.StepMemoryStats',
  'plugin.StepMultiMap',
  'plugin.StepError',
] as const;
export type StepMethod = (typeof stepMethods)[number];

/** What a request of Kong asks for. */
export type Command =
  | { readonly type: 'startInstance'; readonly name: string; readonly config: string }
  | { readonly type: 'closeInstance'; readonly instanceId: number }
  /** `instanceId` is null where Kong has lost it: two changes of a configuration overlapped (measured on Kong 3.9.3). */
  | { readonly type: 'handleEvent'; readonly instanceId: number | null; readonly eventName: string }
  /** `data` is null where Kong sent no Data: the call returned nil. */
  | { readonly type: 'step'; readonly eventId: number; readonly data: unknown; readonly failed: boolean }
  | { readonly type: 'other'; readonly method: string; readonly args: readonly unknown[] };

/** What the server answers to HandleEvent and Step. */
export type EventAnswer =
  | { readonly eventId: number; readonly done: true }
  | {
      readonly eventId: number;
      readonly done: false;
      readonly method: string;
      readonly args: readonly unknown[];
    };

/** @throws KongTsError FRAME_MALFORMED for anything that is no message */
export function readMessage(value: unknown): Message {
  if (!Array.isArray(value)) malformed('a message is no array');
  const [kind, second, third, fourth] = value as unknown[];
  if (kind === 0 && value.length === 4 && typeof third === 'string' && Array.isArray(fourth)) {
    return { type: 'request', id: readId(second), method: third, args: fourth };
  }
  if (kind === 1 && value.length === 4) {
    return { type: 'response', id: readId(second), error: third ?? null, result: fourth ?? null };
  }
  if (kind === 2 && value.length === 3 && typeof second === 'string') {
    return { type: 'notification', name: second, value: third };
  }
  return malformed('an array is neither request, response nor notification');
}

function readId(value: unknown): number {
  return typeof value === 'number' && value >= 0 ? value : malformed('a message id is no positive number');
}

/** @throws KongTsError FRAME_MALFORMED when the argument of a known method is not what it has to be */
export function readCommand(request: Request): Command {
  const { method } = request;
  if (method.startsWith('plugin.Step')) {
    const step = argument(request);
    return {
      type: 'step',
      eventId: property(step, 'EventId', 'number', method),
      data: step['Data'] ?? null,
      failed: method === 'plugin.StepError',
    };
  }
  switch (method) {
    case 'plugin.HandleEvent': {
      const event = argument(request);
      return {
        type: 'handleEvent',
        instanceId:
          (event['InstanceId'] ?? null) === null ? null : property(event, 'InstanceId', 'number', method),
        eventName: property(event, 'EventName', 'string', method),
      };
    }
    case 'plugin.StartInstance': {
      const start = argument(request);
      return {
        type: 'startInstance',
        name: property(start, 'Name', 'string', method),
        config: property(start, 'Config', 'string', method),
      };
    }
    case 'plugin.CloseInstance': {
      const id = request.args[0];
      if (typeof id !== 'number') malformed('plugin.CloseInstance has no instance id');
      return { type: 'closeInstance', instanceId: id };
    }
    default:
      return { type: 'other', method, args: request.args };
  }
}

function argument(request: Request): Record<string, unknown> {
  const value = request.args[0];
  if (value === null || typeof value !== 'object') malformed(`${request.method} has no argument`);
  return value as Record<string, unknown>;
}

function property(object: Record<string, unknown>, name: string, type: 'number', method: string): number;
function property(object: Record<string, unknown>, name: string, type: 'string', method: string): string;
function property(object: Record<string, unknown>, name: string, type: string, method: string): unknown {
  const value = object[name];
  // Lua writes an empty string or table where the configuration has none; anything else is not Kong.
  if (typeof value !== type) malformed(`${method} has no ${name}`);
  return value;
}

/** The event that a command is about of which only the beginning is there, null where it does not say. */
export function eventIdIn(begun: Buffer): number | null {
  const at = begun.indexOf(EVENT_ID);
  if (at < 0) return null;
  try {
    const id = decodeValue(begun.subarray(at + EVENT_ID.length));
    return typeof id === 'number' ? id : null;
  } catch {
    return null;
  }
}

/** Kong's side: a request; `args` is usually one element. */
export function encodeRequest(id: number, method: string, args: readonly unknown[]): Buffer {
  return encode([0, id, method, args]);
}

export function encodeResponse(id: number, error: unknown, result: unknown): Buffer {
  return encode([1, id, error ?? null, result ?? null]);
}

export function encodeNotification(name: string, value: unknown): Buffer {
  return encode([2, name, value]);
}

const EVENT_ID = encode('EventId');
const RESPONSE_HEAD = Buffer.from([0x94, 0x01]);
/** `nil, {Data: "ret", EventId:` */
const DONE = Buffer.concat([Buffer.from([0xc0, 0x82]), encode('Data'), encode('ret'), encode('EventId')]);
/** `nil, {EventId:` */
const CALL_EVENT = Buffer.concat([Buffer.from([0xc0, 0x82]), encode('EventId')]);
/** `Data: {Method:` */
const CALL_METHOD = Buffer.concat([encode('Data'), Buffer.from([0x82]), encode('Method')]);
const CALL_ARGS = encode('Args');

/** Writes the response that ends an event. */
export function writeDone(writer: MessageWriter, id: number, eventId: number): void {
  writer.raw(RESPONSE_HEAD);
  writer.number(id);
  writer.raw(DONE);
  writer.number(eventId);
}

/**
 * Writes the response that asks Kong for a PDK call.
 * @param method the function's name as MessagePack
 * @param args the arguments, or bytes that are an array of them in MessagePack
 * @throws KongTsError PDK_INVALID_ARGUMENT for what MessagePack cannot carry; what was written until then is to be dropped
 */
export function writeCall(
  writer: MessageWriter,
  id: number,
  eventId: number,
  method: Uint8Array,
  args: Uint8Array | readonly unknown[],
): void {
  writer.raw(RESPONSE_HEAD);
  writer.number(id);
  writer.raw(CALL_EVENT);
  writer.number(eventId);
  writer.raw(CALL_METHOD);
  writer.raw(method);
  writer.raw(CALL_ARGS);
  if (args instanceof Uint8Array) writer.raw(args);
  else writer.value(args);
}

/** Kong's side: what the result of HandleEvent or Step says. @throws KongTsError FRAME_MALFORMED */
export function readEventAnswer(result: unknown): EventAnswer {
  if (result === null || typeof result !== 'object') malformed('an answer to an event is no map');
  const { EventId: eventId, Data: data } = result as Record<string, unknown>;
  if (typeof eventId !== 'number') malformed('an answer to an event has no EventId');
  if (data === 'ret') return { eventId, done: true };
  if (data === null || typeof data !== 'object') malformed('an answer to an event has no Data');
  const { Method: method, Args: args } = data as Record<string, unknown>;
  if (typeof method !== 'string') malformed('an answer to an event has no Method');
  return { eventId, done: false, method, args: Array.isArray(args) ? args : [] };
}
