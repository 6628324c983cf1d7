import { rmSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import net from 'node:net';
import type { Protocol } from '../../src/pdk/index.ts';
import { serveMsgpack } from './probe-msgpack.ts';
import { serveProtobuf } from './probe-protobuf.ts';

/** A PDK call as it goes over the wire: the dotted name, then its arguments. */
export type Call = readonly [method: string, ...args: unknown[]];

/** What the probe calls in each phase; `mode: 'pipe'` writes all calls of a ProtoBuf:1 event before any reply. */
export interface Script {
  readonly mode?: 'pipe';
  readonly [phase: string]: readonly Call[] | 'pipe' | undefined;
}

/** What Kong gave for a call, as the recordings have it. */
export interface Answered {
  /** MsgPack:1: the step method without `plugin.`. */
  readonly via?: string;
  /** MsgPack:1: whether the step had a Data key. */
  readonly has?: boolean;
  /** ProtoBuf:1: the type of the message and its length. */
  readonly type?: string;
  readonly bytes?: number;
  readonly v?: unknown;
}

/** One step of a phase: a call and its outcome, or the phase's end. */
export interface Happened {
  readonly phase: string;
  readonly method?: string;
  readonly args?: readonly unknown[];
  readonly ok?: Answered;
  readonly err?: string;
  readonly done?: true;
}

/** `["open", n]`, `["<", n, hex]` from Kong, `[">", n, hex]` to Kong, `["close", n]`. */
export type Wire = readonly [kind: 'open' | '<' | '>' | 'close', connection: number, hex?: string];

/** How the probe behaves when Kong starts an instance. */
export type StartMode = 'starts' | 'closes' | 'rubbish' | 'http';

/** A plugin server with one plugin, which makes the calls of a script. */
export class Probe {
  readonly name: string;
  readonly protocol: Protocol;
  readonly socket: string;
  script: Script = {};
  start: StartMode = 'starts';
  readonly happened: Happened[] = [];
  readonly wire: Wire[] = [];
  #connections = 0;
  #lastId = 100_000;
  readonly #sockets = new Set<net.Socket>();
  readonly #server: net.Server;

  constructor(name: string, protocol: Protocol, socket: string) {
    this.name = name;
    this.protocol = protocol;
    this.socket = socket;
    this.#server = net.createServer((connection) => this.#serve(connection));
  }

  /** Listens; whoever runs Kong in its container may connect. */
  async listen(): Promise<this> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.socket, resolve);
    });
    await chmod(this.socket, 0o666);
    return this;
  }

  /** Forgets what was seen, and runs another script from now on. */
  run(script: Script, start: StartMode = 'starts'): void {
    this.script = script;
    this.start = start;
    this.happened.length = 0;
    this.wire.length = 0;
  }

  callsOf(phase: string): readonly Call[] {
    const calls = this.script[phase];
    return calls === undefined || calls === 'pipe' ? [] : calls;
  }

  /** How often a phase has come to its end, or was broken off. */
  ended(phase: string): number {
    return this.happened.filter((step) => step.phase === phase && (step.done ?? step.err !== undefined))
      .length;
  }

  nextId(): number {
    return ++this.#lastId;
  }

  /** Instances of a configuration that is gone would be asked for again. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    rmSync(this.socket, { force: true });
  }

  #serve(connection: net.Socket): void {
    const number = ++this.#connections;
    this.#sockets.add(connection);
    this.wire.push(['open', number]);
    connection.on('error', () => undefined);
    connection.on('close', () => {
      this.#sockets.delete(connection);
      this.wire.push(['close', number]);
    });
    connection.prependListener('data', (chunk: Buffer) => {
      this.wire.push(['<', number, chunk.toString('hex')]);
    });
    const write = (bytes: Buffer): void => {
      this.wire.push(['>', number, bytes.toString('hex')]);
      connection.write(bytes);
    };
    if (this.protocol === 'protobuf') serveProtobuf(this, connection, write);
    else serveMsgpack(this, connection, write);
  }
}

/** What a probe answers a StartInstance that it does not want, on either protocol. */
export function spoilStart(probe: Probe, connection: net.Socket, write: (bytes: Buffer) => void): boolean {
  switch (probe.start) {
    case 'starts':
      return false;
    case 'closes':
      connection.end();
      return true;
    case 'rubbish':
      write(Buffer.from('c1ffffffffffffff', 'hex'));
      return true;
    case 'http':
      write(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'));
      return true;
  }
}
