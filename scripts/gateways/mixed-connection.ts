import { MessageDecoder } from '../../src/wire/msgpack/framing.ts';
import { readMessage } from '../../src/wire/msgpack/messages.ts';
import { encodeResponse } from '../../src/wire/msgpack/server-side.ts';
import { encodeFrame } from '../../src/wire/protobuf/framing.ts';
import { decodeRpcCall, encodeRpcReturn } from '../../src/wire/protobuf/server-side.ts';
import { encodeArguments } from '../../src/wire/protobuf/server-side.ts';

/** Two plugins, one of each protocol, that have a socket in common. */
export const mixedNames = ['mixed-pb', 'mixed-mp'] as const;
const none = Buffer.alloc(0);
const [protobufName, msgpackName] = mixedNames;

interface Server {
  nextInstance(): number;
  /** What starting and closing an instance of the MsgPack:1 plugin takes. */
  takeTime(): Promise<void>;
}

interface Channel {
  readonly write: (bytes: Buffer) => void;
  readonly heard: (says: string) => void;
}

/**
 * One connection of Kong on which both protocols come. Kong waits for the answer to each command, so a command of MsgPack:1
 * is all that has come; the answer to the last call of a ProtoBuf:1 event comes after its end, before the next command.
 */
export class MixedConnection {
  readonly #server: Server;
  readonly #channel: Channel;
  #bytes: Buffer = none;
  /** Called with the frames that answer calls, in order. */
  readonly #replies: ((frame: Buffer) => void)[] = [];
  /** Where events of MsgPack:1 are, by their number, on whichever connection. */
  static readonly #steps = new Map<number, number>();
  static #lastEvent = 0;

  constructor(server: Server, channel: Channel) {
    this.#server = server;
    this.#channel = channel;
  }

  read(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    while (this.#bytes.length > 0) {
      const taken = this.#replies.length === 0 && isMsgpack(this.#bytes) ? this.#message() : this.#frame();
      if (!taken) return;
    }
  }

  #frame(): boolean {
    const bytes = this.#bytes;
    if (bytes.length < 4 || bytes.length < 4 + bytes.readUInt32LE()) return false;
    const end = 4 + bytes.readUInt32LE();
    this.#bytes = bytes.subarray(end);
    const frame = bytes.subarray(4, end);
    const reply = this.#replies.shift();
    if (reply === undefined) void this.#protobuf(frame);
    else reply(frame);
    return true;
  }

  async #protobuf(frame: Buffer): Promise<void> {
    const { sequence, command } = decodeRpcCall(frame);
    const phase = command.type === 'handleEvent' ? ` ${command.eventName}` : '';
    this.#channel.heard(`protobuf ${command.type}${phase}`);
    if (command.type === 'handleEvent') {
      if (command.eventName === 'access') {
        this.#channel.write(pair('kong.request.get_method', none));
        const method = (await this.#reply()).subarray(2).toString();
        this.#replies.push(() => undefined);
        const header = encodeArguments('KV', [protobufName, `x ${method}`]);
        const end = encodeFrame(encodeRpcReturn({ sequence, result: null }));
        this.#channel.write(
          Buffer.concat([pair('kong.response.set_header', header), encodeFrame(none), end]),
        );
        return;
      }
      this.#channel.write(
        Buffer.concat([encodeFrame(none), encodeFrame(encodeRpcReturn({ sequence, result: null }))]),
      );
      return;
    }
    const instanceId = command.type === 'closeInstance' ? command.instanceId : this.#server.nextInstance();
    const status = { name: protobufName, instanceId, startedAt: Math.floor(Date.now() / 1000) };
    this.#channel.write(
      encodeFrame(encodeRpcReturn({ sequence, result: { type: 'instanceStatus', status } })),
    );
  }

  #reply(): Promise<Buffer> {
    return new Promise((resolve) => {
      this.#replies.push(resolve);
    });
  }

  #message(): boolean {
    const [value] = new MessageDecoder({ maxMessageBytes: 1 << 24 }).push(this.#bytes);
    if (value === undefined) return false;
    this.#bytes = none;
    void this.#msgpack(value);
    return true;
  }

  async #msgpack(value: unknown): Promise<void> {
    const message = readMessage(value);
    if (message.type !== 'request') return;
    const { id, method, args } = message;
    const given = Object(args[0]) as Record<string, unknown>;
    const phase = typeof given['EventName'] === 'string' ? ` ${given['EventName']}` : '';
    const lost = method === 'plugin.HandleEvent' && given['InstanceId'] === undefined;
    this.#channel.heard(`msgpack ${method}${phase}${lost ? ' without InstanceId' : ''}`);
    // What kong-pdk says, with the number that Kong's nil becomes.
    if (lost) this.#channel.write(encodeResponse(id, 'No plugin instance #-1', null));
    else this.#channel.write(encodeResponse(id, null, await this.#answer(method, given, args[0])));
  }

  async #answer(method: string, given: Record<string, unknown>, first: unknown): Promise<unknown> {
    if (method === 'plugin.StartInstance') {
      await this.#server.takeTime();
      return { Name: msgpackName, Id: this.#server.nextInstance(), Config: {}, StartTime: 1 };
    }
    if (method === 'plugin.CloseInstance') {
      await this.#server.takeTime();
      return { Name: msgpackName, Id: first, Config: {} };
    }
    const steps = MixedConnection.#steps;
    const started = method === 'plugin.HandleEvent';
    const EventId = started ? ++MixedConnection.#lastEvent : Number(given['EventId']);
    if (started && given['EventName'] !== 'access') return { Data: 'ret', EventId };
    const step = started ? 0 : (steps.get(EventId) ?? 0) + 1;
    steps.set(EventId, step);
    if (step === 0) return { Data: { Method: 'kong.request.get_method', Args: [] }, EventId };
    const Args = [msgpackName, `x ${String(given['Data'])}`];
    if (step === 1) return { Data: { Method: 'kong.response.set_header', Args }, EventId };
    steps.delete(EventId);
    return { Data: 'ret', EventId };
  }
}

const pair = (method: string, args: Buffer): Buffer =>
  Buffer.concat([encodeFrame(Buffer.from(method)), encodeFrame(args)]);

/** `[0, id, "plugin.…", …]`: a frame with this length begins with the same two bytes. */
const isMsgpack = (bytes: Buffer): boolean =>
  bytes[0] === 0x94 && bytes[1] === 0 && bytes.subarray(0, 16).includes('plugin.');
