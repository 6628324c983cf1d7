import { Buffer } from 'node:buffer';
import type { Command, Request } from './messages.ts';
import { decodeValue, malformed } from './reader.ts';
import type { MessageWriter } from './writer.ts';
import { encode } from './writer.ts';

/** @throws KongTsError FRAME_MALFORMED when a known method has a wrong argument */
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
  // Where the configuration is empty, Lua writes an empty string or table. Kong writes nothing else.
  if (typeof value !== type) malformed(`${method} has no ${name}`);
  return value;
}

/** The event that a command is about, read from its beginning; null where the beginning does not say. */
export function eventIdIn(begun: Buffer): number | null {
  const at = begun.indexOf(eventId);
  if (at < 0) return null;
  try {
    const id = decodeValue(begun.subarray(at + eventId.length));
    return typeof id === 'number' ? id : null;
  } catch {
    return null;
  }
}

export function encodeResponse(id: number, error: unknown, result: unknown): Buffer {
  return encode([1, id, error ?? null, result ?? null]);
}

const eventId = encode('EventId');
const responseHead = Buffer.from([0x94, 0x01]);
/** `nil, {Data: "ret", EventId:` */
const done = Buffer.concat([Buffer.from([0xc0, 0x82]), encode('Data'), encode('ret'), encode('EventId')]);
/** `nil, {EventId:` */
const callEvent = Buffer.concat([Buffer.from([0xc0, 0x82]), encode('EventId')]);
/** `Data: {Method:` */
const callMethod = Buffer.concat([encode('Data'), Buffer.from([0x82]), encode('Method')]);
const callArgs = encode('Args');

/** Writes the response that ends an event. */
export function writeDone(writer: MessageWriter, id: number, eventId: number): void {
  writer.raw(responseHead);
  writer.number(id);
  writer.raw(done);
  writer.number(eventId);
}

/**
 * Writes the response that asks Kong for a PDK call.
 * @param method the function's name as MessagePack
 * @param args the arguments, or bytes that are an array of them in MessagePack
 * @throws KongTsError PDK_INVALID_ARGUMENT for what MessagePack cannot carry. The caller drops what was written until
 * then.
 */
export function writeCall(
  writer: MessageWriter,
  id: number,
  eventId: number,
  method: Uint8Array,
  args: Uint8Array | readonly unknown[],
): void {
  writer.raw(responseHead);
  writer.number(id);
  writer.raw(callEvent);
  writer.number(eventId);
  writer.raw(callMethod);
  writer.raw(method);
  writer.raw(callArgs);
  if (args instanceof Uint8Array) writer.raw(args);
  else writer.value(args);
}
