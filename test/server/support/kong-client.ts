import { connect, type Socket } from 'node:net';
import { rowByName } from '../../../src/pdk/catalogue.ts';
import { FrameDecoder } from '../../../src/wire/protobuf/frames.ts';
import { decodeRpcReturn, encodeRpcCall, type RpcCommand } from '../../../src/wire/protobuf/rpc.ts';

/** An event that failed for the client of Kong: a 500. */
export class EventFailed extends Error {}

class Closed extends Error {}

/** One pooled connection of Kong's over ProtoBuf:1. */
class KongConnection {
  readonly socket: Socket;
  ended = false;
  readonly #frames: Buffer[] = [];
  readonly #decoder = new FrameDecoder({});
  #failure: Error | null = null;
  #wake: () => void = () => undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => {
      this.#frames.push(...this.#decoder.push(chunk));
      this.#wake();
    });
    socket.on('end', () => {
      this.ended = true;
      this.#failure ??= new Closed('closed');
      this.#wake();
    });
    socket.on('error', (error) => {
      this.ended = true;
      this.#failure ??= new EventFailed(error.message);
      this.#wake();
    });
    socket.on('close', () => {
      this.ended = true;
      this.#failure ??= new Closed('closed');
      this.#wake();
    });
  }

  /** Length and body in separate writes, as Kong does. */
  write(body: Buffer): void {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(body.length);
    this.socket.write(length);
    this.socket.write(body);
  }

  async read(): Promise<Buffer> {
    for (;;) {
      const frame = this.#frames.shift();
      if (frame !== undefined) return frame;
      if (this.#failure !== null) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

export interface EventResult {
  /** Names of the PDK calls in their order. */
  calls: string[];
}

/**
 * Kong's side of ProtoBuf:1 as Kong 3.9.3 behaves: pooled connections, one event in flight on each, instances by
 * configuration, a retry with a new instance after "closed", a 500 after anything else.
 */
export class KongClient {
  readonly path: string;
  /** Encoded results by function name; every other call gets an empty one. */
  readonly results: Record<string, Buffer> = {};
  /** How often an event was tried anew after "closed". */
  retries = 0;
  /** PDK calls answered. */
  answered = 0;
  readonly #idle: KongConnection[] = [];
  readonly #open = new Set<Socket>();
  readonly #instances = new Map<string, Promise<number>>();
  #sequence = 0;

  constructor(path: string) {
    this.path = path;
  }

  /** Runs one event, with all that belongs to it. @throws EventFailed where the client of Kong would see a 500 */
  async event(plugin: string, config: object, phase: string): Promise<EventResult> {
    for (let attempt = 0; attempt < 50; attempt++) {
      const id = await this.instance(plugin, config);
      try {
        return await this.handle(id, phase);
      } catch (error) {
        if (!(error instanceof Closed)) throw error;
        this.retries++;
        this.#instances.clear();
      }
    }
    throw new EventFailed('retried 50 times');
  }

  /** The id of the instance for a configuration; started when there is none. */
  async instance(plugin: string, config: object): Promise<number> {
    const key = JSON.stringify([plugin, config]);
    let id = this.#instances.get(key);
    if (id === undefined) {
      id = this.start(plugin, config);
      this.#instances.set(key, id);
      id.catch(() => this.#instances.delete(key));
    }
    return id;
  }

  async start(plugin: string, config: object): Promise<number> {
    for (let attempt = 0; attempt < 50; attempt++) {
      const connection = await this.#take();
      try {
        const bytes = Buffer.from(JSON.stringify(config));
        connection.write(this.#call({ type: 'startInstance', name: plugin, config: bytes }));
        const answer = decodeRpcReturn(await connection.read());
        this.#keep(connection);
        if (answer.result?.type !== 'instanceStatus') throw new EventFailed('StartInstance failed');
        return answer.result.status.instanceId;
      } catch (error) {
        connection.socket.destroy();
        if (!(error instanceof Closed)) throw error;
        this.retries++;
      }
    }
    throw new EventFailed('retried 50 times');
  }

  /** One HandleEvent on an instance; "closed" comes out as an error of its own kind. */
  async handle(instanceId: number, phase: string): Promise<EventResult> {
    const connection = await this.#take();
    const calls: string[] = [];
    try {
      connection.write(this.#call({ type: 'handleEvent', instanceId, eventName: phase }));
      for (;;) {
        const name = (await connection.read()).toString();
        if (name === '') break;
        await connection.read();
        if (rowByName(name) === null) throw new EventFailed(`not exposed: ${name}`);
        calls.push(name);
        if (name === 'kong.response.exit') {
          connection.socket.destroy();
          return { calls };
        }
        connection.write(this.results[name] ?? Buffer.alloc(0));
        this.answered++;
      }
      decodeRpcReturn(await connection.read());
      this.#keep(connection);
      return { calls };
    } catch (error) {
      connection.socket.destroy();
      throw error;
    }
  }

  /** The next event opens a connection, as a new nginx worker does. */
  forgetConnections(): void {
    for (const { socket } of this.#idle.splice(0)) socket.destroy();
  }

  close(): void {
    for (const socket of this.#open) socket.destroy();
  }

  #call(command: RpcCommand): Buffer {
    return encodeRpcCall({ sequence: ++this.#sequence, command });
  }

  async #take(): Promise<KongConnection> {
    for (;;) {
      const connection = this.#idle.pop();
      if (connection === undefined) break;
      if (!connection.ended) return connection;
      connection.socket.destroy();
    }
    const socket = connect({ path: this.path });
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', (error) => reject(new EventFailed(`connect: ${error.message}`)));
    });
    return new KongConnection(socket);
  }

  #keep(connection: KongConnection): void {
    if (connection.ended) connection.socket.destroy();
    else this.#idle.push(connection);
  }
}

/** Runs events on several connections until told to stop; counts what went well and what did not. */
export class Load {
  done = 0;
  readonly failures: string[] = [];
  #stopped = false;
  readonly #loops: Promise<void>[];

  constructor(concurrency: number, one: () => Promise<unknown>) {
    this.#loops = Array.from({ length: concurrency }, async () => {
      while (!this.#stopped) {
        try {
          await one();
          this.done++;
          // Enough load to always have events in flight, not so much that the servers starve.
          await new Promise((resolve) => setTimeout(resolve, 1));
        } catch (error) {
          this.failures.push(error instanceof Error ? error.message : String(error));
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      }
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#loops);
  }
}
