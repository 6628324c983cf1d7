import type { Socket } from 'node:net';
import type { Client } from './job.ts';
import type { Connection, Pool, Speaker } from './pool.ts';
import type { Till } from './prices.ts';
import { headers, numberMark, replies } from './replies.ts';

const varint = (value: number): number[] => {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest & 127) | 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return bytes;
};
const field = (number: number, bytes: Buffer): Buffer =>
  Buffer.concat([Buffer.from([...varint((number << 3) | 2), ...varint(bytes.length)]), bytes]);
const integer = (number: number, value: number): Buffer =>
  Buffer.from([...varint(number << 3), ...varint(value)]);

/** A Struct: entries of a key and a Value that is a text. */
const struct = Buffer.concat(
  Object.entries(headers).map(([name, value]) =>
    field(1, Buffer.concat([field(1, Buffer.from(name)), field(2, field(3, Buffer.from(value)))])),
  ),
);

const encoded = new Map([
  ...[...replies].map(([method, text]) => [method, field(1, Buffer.from(text))] as const),
  ['kong.request.get_headers', struct] as const,
]);
const empty = Buffer.alloc(0);

/** Kong writes the length and the body of a frame in two sends (measured on Kong 3.9.3). */
function writeFrame(socket: Socket, body: Buffer): void {
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32LE(body.length);
  socket.write(length);
  if (body.length > 0) socket.write(body);
}

const serialized = encoded.get('kong.log.serialize') ?? empty;
const numberAt = serialized.indexOf(numberMark) + numberMark.length;

/** Gives each record a number of its own, in place of the first eight digits of its request id. */
class Numbering {
  #next: number;

  constructor(first: number) {
    this.#next = first;
  }

  take(): Buffer {
    const copy = Buffer.from(serialized);
    copy.write(String(this.#next++).padStart(8, '0'), numberAt, 8, 'latin1');
    return copy;
  }
}

type Done = (error: Error | null, body: Buffer) => void;

/** One command on a connection that it has taken from the pool, and the calls that come before its answer. */
class Command implements Speaker {
  readonly #pool: Pool;
  readonly #connection: Connection;
  readonly #numbering: Numbering | null;
  readonly #till: Till;
  readonly #done: Done;
  calls = 0;
  #reads = 0;
  #rest: Buffer = empty;
  #method: string | null = null;
  #returning: boolean;

  /** @param bridge the server may call the PDK before it returns, and marks the end of that with an empty frame */
  constructor(
    pool: Pool,
    body: Buffer,
    {
      bridge,
      numbering,
      till,
      done,
    }: { bridge: boolean; numbering: Numbering | null; till: Till; done: Done },
  ) {
    this.#pool = pool;
    this.#numbering = numbering;
    this.#till = till;
    this.#done = done;
    this.#returning = !bridge;
    this.#connection = pool.take(this);
    writeFrame(this.#connection.socket, body);
  }

  lost(error: Error): void {
    this.#done(error, empty);
  }

  read(chunk: Buffer): void {
    // The first read is in the price of the event.
    if (this.#reads++ > 0) this.#till.read();
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (bytes.length >= 4) {
      const length = bytes.readUInt32LE(0);
      if (bytes.length < 4 + length) break;
      const body = bytes.subarray(4, 4 + length);
      bytes = bytes.subarray(4 + length);
      if (this.#returning) {
        this.#pool.give(this.#connection);
        this.#done(null, body);
      } else if (this.#method !== null) {
        this.calls += 1;
        this.#till.call(this.#method);
        const numbered = this.#numbering !== null && this.#method === 'kong.log.serialize';
        writeFrame(
          this.#connection.socket,
          numbered ? this.#numbering.take() : (encoded.get(this.#method) ?? empty),
        );
        this.#method = null;
      } else if (length === 0) this.#returning = true;
      else this.#method = body.toString('latin1');
    }
    this.#rest = bytes;
  }
}

/** Behaves like Kong's ProtoBuf:1 client: one event in flight per connection, a reply only after reading its call. */
export class ProtobufClient implements Client {
  readonly #pool: Pool;
  readonly #numbering: Numbering | null;
  readonly #till: Till;
  #sequence = 1;
  #instance = 0;
  running = 0;
  calls = 0;

  /** @param firstNumber null: all records are alike */
  constructor(pool: Pool, firstNumber: number | null, till: Till) {
    this.#pool = pool;
    this.#till = till;
    this.#numbering = firstNumber === null ? null : new Numbering(firstNumber);
  }

  async start(plugin: string, config: Record<string, unknown>): Promise<void> {
    const command = field(
      33,
      Buffer.concat([field(1, Buffer.from(plugin)), field(2, Buffer.from(JSON.stringify(config)))]),
    );
    const body = await new Promise<Buffer>((resolve, reject) => {
      const done: Done = (error, answer) => (error ? reject(error) : resolve(Buffer.from(answer)));
      this.#send(command, false, done);
    });
    this.#instance = instanceIdOf(body);
  }

  run(phase: string, done: (error: Error | null) => void): void {
    const command = field(36, Buffer.concat([integer(1, this.#instance), field(2, Buffer.from(phase))]));
    this.running += 1;
    this.#till.event();
    const event = this.#send(command, true, (error) => {
      this.running -= 1;
      this.calls += event.calls;
      done(error);
    });
  }

  #send(command: Buffer, bridge: boolean, done: Done): Command {
    const body = Buffer.concat([integer(1, this.#sequence++), command]);
    return new Command(this.#pool, body, { bridge, numbering: this.#numbering, till: this.#till, done });
  }
}

/** RpcReturn{1 sequence, 33 instance_status{1 name, 2 instance_id}}: read just far enough for the id. */
function instanceIdOf(bytes: Buffer): number {
  const fields = readFields(bytes);
  const status = fields.get(33);
  const id = Buffer.isBuffer(status) ? readFields(status).get(2) : undefined;
  if (typeof id !== 'number') throw new Error(`StartInstance was answered with ${bytes.toString('hex')}`);
  return id;
}

function readFields(bytes: Buffer): Map<number, number | Buffer> {
  const fields = new Map<number, number | Buffer>();
  let at = 0;
  const next = (): number => {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
  };
  while (at < bytes.length) {
    const key = next();
    const size = next();
    if ((key & 7) === 2) {
      fields.set(key >>> 3, bytes.subarray(at, at + size));
      at += size;
    } else fields.set(key >>> 3, size);
  }
  return fields;
}
