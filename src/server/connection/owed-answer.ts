import { Buffer } from 'node:buffer';
import { randomInt } from 'node:crypto';
import type { Phase } from '../../pdk/names/index.ts';
import type { OpenRequest } from '../in-flight/open-requests.ts';
import { encode, MessageWriter, encodeResponse, writeCall, writeDone } from '../../wire/msgpack/index.ts';
import { failureExit } from './failure-exit.ts';
import { farewell } from './farewell.ts';
import type { ForwardedAnswer } from './host.ts';
import { resultOf } from './start-answer.ts';

/** See UNKNOWN_INSTANCE in MsgpackSession: Kong begins the event anew. */
const begunAnew = 'No plugin instance #-1: its worker has ended';
const exitMethod = Buffer.from(encode('kong.response.exit'));

/**
 * A refused StartInstance would raise in Kong. So it is answered with an id that nobody knows: at the first event Kong is told so,
 * and starts the instance anew.
 */
const unknownStart = () =>
  resultOf({ id: randomInt(1, maxId), name: '', config: {}, startedAt: Math.floor(Date.now() / 1000) });

/** Ids are int32 and more than 0. */
const maxId = 2 ** 31;

/**
 * What Kong is told in place of a MsgPack:1 answer that a worker owed when it died, and with which it lets go of the connection. It
 * begins the event anew; where that event is likely to have ended the worker, the request is a 500 instead, and a log event is over.
 */
export function owedAnswer({ id, eventId, phase }: OpenRequest, suspect: boolean): Buffer {
  if (phase === 'start') return Buffer.concat([encodeResponse(id, null, unknownStart()), farewell.msgpack]);
  if (!suspect || phase === null)
    return Buffer.concat([encodeResponse(id, begunAnew, null), farewell.msgpack]);
  const out = new MessageWriter(512);
  const args = failureExit(phase);
  if (args === null) writeDone(out, id, eventId);
  else writeCall(out, id, eventId, exitMethod, args);
  return Buffer.concat([out.view(), farewell.msgpack]);
}

/**
 * The same for a step that comes from another worker.
 * @param phase of the event; null where it is not known what ran
 * @throws Error where an event that is not known may have ended the worker
 */
export function owedForwarded(phase: Phase | null, suspect: boolean): ForwardedAnswer {
  if (!suspect) return { type: 'gone' };
  if (phase === null) throw new Error('an event has ended the worker of this event');
  const args = failureExit(phase);
  return args === null ? { type: 'done' } : { type: 'call', method: exitMethod, args: encode(args) };
}
