import type { Buffer } from 'node:buffer';
import type { EventAnswer } from './messages.ts';
import { malformed } from './reader.ts';
import { encode } from './writer.ts';

/** Kong's side: a request; `args` is usually one element. */
export function encodeRequest(id: number, method: string, args: readonly unknown[]): Buffer {
  return encode([0, id, method, args]);
}

/** Kong's side: what the result of HandleEvent or Step says. @throws KongTsError FRAME_MALFORMED */
export function readEventAnswer(result: unknown): EventAnswer {
  if (result === null || typeof result !== 'object') malformed('an answer to an event is not a map');
  const { EventId: eventId, Data: data } = result as Record<string, unknown>;
  if (typeof eventId !== 'number') malformed('an answer to an event has no EventId');
  if (data === 'ret') return { eventId, done: true };
  if (data === null || typeof data !== 'object') malformed('an answer to an event has no Data');
  const { Method: method, Args: args } = data as Record<string, unknown>;
  if (typeof method !== 'string') malformed('an answer to an event has no Method');
  return { eventId, done: false, method, args: Array.isArray(args) ? args : [] };
}
