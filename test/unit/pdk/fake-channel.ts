import type { FunctionRow, PhaseChannel, Phase, Protocol } from '../../../src/pdk/index.ts';
import { ExitSignal } from '../../../src/pdk/index.ts';

export interface Sent {
  readonly how: 'call' | 'send' | 'exit';
  readonly name: string;
  readonly args: readonly unknown[];
}

/** What a call answers with, by wire name and arguments. */
export type Answers = (name: string, args: readonly unknown[]) => unknown;

/** A channel that remembers what was sent and answers from a function. */
export class FakeChannel implements PhaseChannel {
  readonly protocol: Protocol;
  readonly phase: Phase;
  ended = false;
  readonly sent: Sent[] = [];
  readonly held: Promise<unknown>[] = [];
  readonly #answers: Answers;

  constructor(protocol: Protocol, phase: Phase, answers: Answers = () => null) {
    this.protocol = protocol;
    this.phase = phase;
    this.#answers = answers;
  }

  get names(): string[] {
    return this.sent.map(({ name }) => name);
  }

  async call(row: FunctionRow, args: readonly unknown[]): Promise<unknown> {
    this.sent.push({ how: 'call', name: row.name, args });
    return this.#answers(row.name, args);
  }

  send(row: FunctionRow, args: readonly unknown[]): void {
    this.sent.push({ how: 'send', name: row.name, args });
  }

  exit(row: FunctionRow, args: readonly unknown[]): Promise<never> {
    this.sent.push({ how: 'exit', name: row.name, args });
    this.ended = true;
    return Promise.reject(new ExitSignal());
  }

  hold(work: Promise<unknown>): void {
    this.held.push(work);
  }
}

/** Calls a function by its camelCase path such as `kong.request.getHeader`. */
export function callByPath(kong: object, path: string, args: readonly unknown[]): Promise<unknown> {
  const names = path.split('.').slice(1);
  let owner: unknown = undefined;
  let at: unknown = kong;
  for (const name of names) {
    owner = at;
    at = (at as Record<string, unknown>)[name];
  }
  if (typeof at !== 'function') throw new Error(`${path} is not a function`);
  return (at as (...given: unknown[]) => Promise<unknown>).apply(owner, [...args]);
}
