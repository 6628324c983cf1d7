import { connect, type Socket } from 'node:net';
import { numberMark, replies } from './replies.ts';
import type { Client } from './job.ts';

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

const encoded = new Map([...replies].map(([method, text]) => [method, field(1, Buffer.from(text))] as const));
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

class Connection {
  readonly #numbering: Numbering | null;
  readonly socket: Socket;
  done: ((error: Error | null, body: Buffer) => void) | null = null;
  calls = 0;
  #rest: Buffer = empty;
  #method: string | null = null;
  #returning = false;

  constructor(path: string, numbering: Numbering | null) {
    this.#numbering = numbering;
    this.socket = connect(path);
    this.socket.on('data', (chunk: Buffer) => this.#read(chunk));
    this.socket.on('error', (error) => this.#finish(error, empty));
    this.socket.on('close', () => this.#finish(new Error('closed'), empty));
  }

  /** `bridge`: the server may call the PDK before it returns, and marks the end of that with an empty frame. */
  send(body: Buffer, bridge: boolean, done: (error: Error | null, body: Buffer) => void): void {
    this.done = done;
    this.#returning = !bridge;
    writeFrame(this.socket, body);
  }

  #finish(error: Error | null, body: Buffer): void {
    const done = this.done;
    this.done = null;
    done?.(error, body);
  }

  #read(chunk: Buffer): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (bytes.length >= 4) {
      const length = bytes.readUInt32LE(0);
      if (bytes.length < 4 + length) break;
      const body = bytes.subarray(4, 4 + length);
      bytes = bytes.subarray(4 + length);
      if (this.#returning) this.#finish(null, body);
      else if (this.#method !== null) {
        this.calls += 1;
        const numbered = this.#numbering !== null && this.#method === 'kong.log.serialize';
        writeFrame(this.socket, numbered ? this.#numbering.take() : (encoded.get(this.#method) ?? empty));
        this.#method = null;
      } else if (length === 0) this.#returning = true;
      else this.#method = body.toString('latin1');
    }
    this.#rest = bytes;
  }
}

/** Behaves like Kong's ProtoBuf:1 client: one event in flight per connection, a reply only after reading its call. */
export class ProtobufClient implements Client {
  readonly #path: string;
  #connections: Connection[] = [];
  #idle: Connection[] = [];
  #sequence = 1;
  #instance = 0;

  readonly #numbering: Numbering | null;

  /** @param firstNumber null: all records are alike */
  constructor(path: string, firstNumber: number | null = null) {
    this.#path = path;
    this.#numbering = firstNumber === null ? null : new Numbering(firstNumber);
  }

  get free(): number {
    return this.#idle.length;
  }

  get calls(): number {
    return this.#connections.reduce((sum, connection) => sum + connection.calls, 0);
  }

  async open(count: number): Promise<void> {
    this.#connections = Array.from({ length: count }, () => new Connection(this.#path, this.#numbering));
    await Promise.all(
      this.#connections.map(
        ({ socket }) =>
          new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject)),
      ),
    );
    this.#idle = [...this.#connections];
  }

  async start(plugin: string, config: Record<string, unknown>): Promise<void> {
    const connection = this.#idle[0];
    if (connection === undefined) throw new Error('open() comes first');
    const command = field(
      33,
      Buffer.concat([field(1, Buffer.from(plugin)), field(2, Buffer.from(JSON.stringify(config)))]),
    );
    const body = await new Promise<Buffer>((resolve, reject) =>
      connection.send(Buffer.concat([integer(1, this.#sequence++), command]), false, (error, answer) =>
        error ? reject(error) : resolve(Buffer.from(answer)),
      ),
    );
    this.#instance = instanceIdOf(body);
  }

  run(phase: string, done: (error: Error | null) => void): void {
    const connection = this.#idle.pop();
    if (connection === undefined) throw new Error('no free connection');
    const command = field(36, Buffer.concat([integer(1, this.#instance), field(2, Buffer.from(phase))]));
    connection.send(Buffer.concat([integer(1, this.#sequence++), command]), true, (error) => {
      if (error === null) this.#idle.push(connection);
      done(error);
    });
  }

  close(): void {
    for (const { socket } of this.#connections) socket.destroy();
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
