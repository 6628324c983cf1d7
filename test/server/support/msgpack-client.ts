import { connect, type Socket } from 'node:net';
import { MessageDecoder } from '../../../src/wire/msgpack/decoder.ts';
import { encodeRequest, readMessage } from '../../../src/wire/msgpack/rpc.ts';

interface Answer {
  error: unknown;
  result: unknown;
}

/** One connection of Kong's over MsgPack:1, one call in flight. */
export class PackedConnection {
  /** True once the server has closed it. */
  closed = false;
  readonly #socket: Socket;
  readonly #decoder = new MessageDecoder({});
  #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | null = null;
  #lastId = 0;

  constructor(path: string) {
    this.#socket = connect(path);
    this.#socket.on('error', () => undefined);
    this.#socket.on('end', () => this.#ended());
    this.#socket.on('close', () => this.#ended());
    this.#socket.on('data', (chunk) => {
      for (const value of this.#decoder.push(chunk)) {
        const message = readMessage(value);
        if (message.type !== 'response') continue;
        const waiting = this.#waiting;
        this.#waiting = null;
        waiting?.resolve(message);
      }
    });
  }

  call(method: string, args: unknown): Promise<Answer> {
    this.#socket.write(encodeRequest(++this.#lastId, method, [args]));
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      if (this.closed) this.#ended();
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #ended(): void {
    this.closed = true;
    this.#waiting?.reject(new Error(`closed during call ${this.#lastId}`));
    this.#waiting = null;
  }
}

/** Kong's side of MsgPack:1: a pool of connections, every RPC on whichever is free. */
export class PackedClient {
  readonly path: string;
  /** Connections that the server has closed: each of them may have skipped an event. */
  closed = 0;
  readonly #idle: PackedConnection[] = [];
  readonly #instances = new Map<string, Promise<number>>();

  constructor(path: string) {
    this.path = path;
  }

  /** Runs one event; every call that waits for an answer gets `answer`. Resolves to the methods called. */
  async event(plugin: string, config: object, phase: string, answer: unknown = null): Promise<string[]> {
    const InstanceId = await this.instance(plugin, config);
    const methods: string[] = [];
    let { EventId, Data } = await this.#event('plugin.HandleEvent', { InstanceId, EventName: phase });
    while (Data !== 'ret') {
      methods.push((Data as { Method: string }).Method);
      ({ EventId, Data } = await this.#event('plugin.Step', { EventId, Data: answer }));
    }
    return methods;
  }

  async instance(plugin: string, config: object): Promise<number> {
    const key = JSON.stringify([plugin, config]);
    let id = this.#instances.get(key);
    if (id === undefined) {
      id = this.#call('plugin.StartInstance', { Name: plugin, Config: JSON.stringify(config) }).then(
        (result) => (result as { Id: number }).Id,
      );
      this.#instances.set(key, id);
    }
    return id;
  }

  close(): void {
    for (const connection of this.#idle) connection.close();
  }

  async #event(method: string, args: object): Promise<{ EventId: number; Data: unknown }> {
    return (await this.#call(method, args)) as { EventId: number; Data: unknown };
  }

  async #call(method: string, args: unknown): Promise<unknown> {
    const connection = this.#take();
    const { error, result } = await connection.call(method, args);
    this.#idle.push(connection);
    if (error !== null) throw new Error(JSON.stringify(error));
    return result;
  }

  #take(): PackedConnection {
    for (;;) {
      const connection = this.#idle.pop();
      if (connection === undefined) return new PackedConnection(this.path);
      if (!connection.closed) return connection;
      this.closed++;
    }
  }
}
