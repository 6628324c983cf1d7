import { MessageDecoder } from '../../src/wire/msgpack/framing.ts';
import { FrameDecoder } from '../../src/wire/protobuf/framing.ts';
import { decodeRpcCall } from '../../src/wire/protobuf/server-side.ts';

type Entry = readonly [kind: string, connection: number, hex?: string];

/**
 * What went over the wire, as words without ids, sizes or the limits of reads: by direction, in order. Calls are sorted by
 * connection, since in which pooled connection one leaves is Kong's own matter.
 */
export function readableWire(wire: readonly unknown[], protocol: string): object {
  const bytes = (kind: string): Buffer =>
    Buffer.concat(
      (wire as readonly Entry[])
        .filter((entry) => entry[0] === kind)
        .map(([, , hex = '']) => Buffer.from(hex, 'hex')),
    );
  const words = protocol === 'MsgPack:1' ? msgpackWords : protobufWords;
  return { fromKong: words(bytes('<'), true), toKong: words(bytes('>'), false) };
}

function msgpackWords(bytes: Buffer): string[] {
  try {
    return new MessageDecoder({ maxMessageBytes: 64 * 1024 * 1024 }).push(bytes).map((value) => {
      const [kind, , third, fourth] = value as unknown[];
      if (kind === 0) return String(third);
      const data = (Object(fourth) as { Data?: unknown }).Data;
      const method = (Object(data) as { Method?: unknown }).Method;
      if (third !== null && third !== undefined) return 'error';
      return typeof method === 'string' ? method : data === 'ret' ? 'ret' : 'answer';
    });
  } catch {
    return ['(no MessagePack)'];
  }
}

function protobufWords(bytes: Buffer, fromKong: boolean): string[] {
  try {
    return new FrameDecoder({ maxFrameBytes: 64 * 1024 * 1024 }).push(bytes).map((frame) => {
      const text = frame.toString('latin1');
      if (!fromKong) return /^kong\.[a-z_.]+$/.test(text) ? text : frame.length === 0 ? 'empty' : 'frame';
      return commandOf(frame) ?? 'reply';
    });
  } catch {
    return ['(no frames)'];
  }
}

function commandOf(frame: Buffer): string | null {
  try {
    const { command } = decodeRpcCall(frame);
    return command.type === 'handleEvent' ? `handleEvent ${command.eventName}` : command.type;
  } catch {
    return null;
  }
}
