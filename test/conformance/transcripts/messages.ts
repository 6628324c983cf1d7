import type { Buffer } from 'node:buffer';
import { readEventAnswer } from '../../../src/wire/msgpack/kong-side.ts';
import { readMessage } from '../../../src/wire/msgpack/messages.ts';
import { decodeRpcReturn } from '../../../src/wire/protobuf/kong-side.ts';
import { decodeArguments } from '../../../src/wire/protobuf/kong-side.ts';
import { rowOf } from './transcript.ts';

/** What a plugin server sends, decoded so that two servers can be compared. */
export type Readable =
  | { readonly type: 'method'; readonly method: string; readonly eventId?: undefined }
  | { readonly type: 'args'; readonly args: unknown; readonly eventId?: undefined }
  | { readonly type: 'end'; readonly eventId?: undefined }
  | { readonly type: 'return'; readonly sequence: number; readonly eventId?: undefined }
  | {
      readonly type: 'started';
      readonly reply: number;
      readonly id: number;
      readonly name: string;
      readonly eventId?: undefined;
    }
  | { readonly type: 'error'; readonly reply: number; readonly text: string; readonly eventId?: undefined }
  | { readonly type: 'done'; readonly reply: number; readonly eventId: number }
  | {
      readonly type: 'call';
      readonly reply: number;
      readonly eventId: number;
      readonly method: string;
      readonly args: unknown;
    };

export const readable = {
  /** Frames of ProtoBuf:1: name and arguments alternate until the empty frame and the RpcReturn. */
  protobuf(frames: readonly Buffer[], before: readonly Readable[]): Readable[] {
    const messages: Readable[] = [];
    for (const frame of frames) {
      const last = messages.at(-1) ?? before.at(-1);
      if (last?.type === 'method') {
        const type = rowOf(last.method).protobuf?.arguments ?? 'google.protobuf.Empty';
        messages.push({ type: 'args', args: decodeArguments(type, frame) });
      } else if (frame.length === 0) messages.push({ type: 'end' });
      else if (frame[0] === 8) messages.push(readReturn(frame));
      else messages.push({ type: 'method', method: frame.toString('latin1') });
    }
    return messages;
  },

  msgpack(values: readonly unknown[]): Readable[] {
    return values.map((value) => {
      const message = readMessage(value);
      if (message.type !== 'response') throw new Error(`the server sent a ${message.type}`);
      const { id: reply, error, result } = message;
      if (error !== null)
        return { type: 'error', reply, text: typeof error === 'string' ? error : JSON.stringify(error) };
      const { Id: id, Name: name } = Object(result) as { Id?: number; Name?: string };
      if (id !== undefined) return { type: 'started', reply, id, name: name ?? '' };
      const answer = readEventAnswer(result);
      const { eventId } = answer;
      if (answer.done) return { type: 'done', reply, eventId };
      return { type: 'call', reply, eventId, method: answer.method, args: answer.args };
    });
  },
};

function readReturn(frame: Buffer): Readable {
  const { sequence, result } = decodeRpcReturn(frame);
  if (result?.type !== 'instanceStatus') return { type: 'return', sequence: Number(sequence) };
  return { type: 'started', reply: Number(sequence), id: result.status.instanceId, name: result.status.name };
}
