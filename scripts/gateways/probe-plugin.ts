import type net from 'node:net';

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

/** The plugin of a probe: which calls it makes, and what has come of them. */
export class ProbePlugin {
  readonly name: string;
  script: Script = {};
  start: StartMode = 'starts';
  readonly happened: Happened[] = [];
  readonly wire: Wire[] = [];
  #lastId = 100_000;

  constructor(name: string) {
    this.name = name;
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
}

/** What a probe answers a StartInstance that it does not want, on either protocol. */
export function spoilStart(
  probe: ProbePlugin,
  connection: net.Socket,
  write: (bytes: Buffer) => void,
): boolean {
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
