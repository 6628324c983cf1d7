import { Buffer } from 'node:buffer';
import { tmpdir } from 'node:os';
import fc from 'fast-check';
import { createNodeState, HttpExchange } from '../../src/kong-end/index.ts';
import type { Exchange } from '../../src/kong-end/index.ts';
import { createKong } from '../../src/pdk/index.ts';
import type { KongApi } from '../../src/pdk/index.ts';
import type { Phase, Protocol } from '../../src/pdk/names/phases.ts';
import { PrefetchLearners } from '../../src/server/connection/prefetch-learner.ts';
import { requestMessage } from '../../src/testing/kong/messages.ts';
import { testHost, testInstance } from './connection-host.ts';
import { KongInProcess } from './kong-in-process.ts';
import { handlers, HandlerRun } from './random-handlers.ts';
import type { Step } from './random-handlers.ts';

const lines: (readonly [string, string])[] = [
  ['X-A', 'a'],
  ['X-B', 'one, two'],
  ['X-Multi', 'one'],
  ['X-Multi', 'two'],
  ['x-multi', ''],
  ['X_Under', 'u'],
  ['X-Under', 'd'],
  ['Cookie', 'a=1'],
  ['Cookie', 'b=2'],
  ['Cookie', 'c="3, 4"'],
  ['X-Empty', ''],
  ['X-Empty', 'full'],
  ['User-Agent', 'test'],
];

/** A handler, and the requests that it is run for. */
export interface Program {
  readonly steps: readonly Step[];
  readonly phase: Phase;
  /** Which of the lines are sent; their bits. */
  readonly sent: number;
  /** How many others. */
  readonly filler: number;
  readonly piece: number;
  /** Events of one configuration, for which plans are learned. */
  readonly events: number;
}

export const programs: fc.Arbitrary<Program> = fc.record({
  steps: handlers,
  phase: fc.constantFrom<Phase>('access', 'access', 'response', 'rewrite'),
  sent: fc.nat(2 ** lines.length - 1),
  filler: fc.oneof(
    { weight: 8, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: 85, max: 110 }) },
  ),
  piece: fc.constantFrom(1 << 20, 1 << 20, 64, 7),
  events: fc.oneof({ weight: 60, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.constant(36) }),
});

/** A request with these headers. @param log what Kong logs goes there */
export function requestExchange(
  headers: readonly (readonly [string, string])[],
  log: string[],
): HttpExchange {
  const node = createNodeState({
    id: 'b9c47d9e-5b8e-4b0e-8b35-0a1c63f3d5a2',
    prefix: tmpdir(),
    log: (level, message) => void log.push(`${level}: ${message}`),
    isTrusted: () => false,
    snapshot: () => {
      throw new Error('There is no configuration.');
    },
  });
  const message = requestMessage({
    method: 'GET',
    target: '/p?x-a=1&x-b&x-a=2',
    httpVersion: '1.1',
    headers,
    body: Buffer.alloc(0),
    ends: { remoteAddress: '127.0.0.1', remotePort: 40_000, localPort: 8000 },
  });
  return new HttpExchange(node, message, 0, 8192, null);
}

function exchangeOf({ sent, filler, phase }: Program, log: string[], event: number): HttpExchange {
  // Later events of a configuration are of other requests.
  const bits = event % 3 === 2 ? sent ^ (1 << (event % lines.length)) : sent;
  const headers: (readonly [string, string])[] = [
    ['Host', 'kong.test'],
    ...lines.filter((_, at) => (bits & (1 << at)) !== 0),
    ...Array.from({ length: filler }, (_, at): [string, string] => [`X-N${String(at)}`, String(at)]),
  ];
  const exchange = requestExchange(headers, log);
  if (phase === 'response') {
    for (const [name, value] of headers) exchange.answer.headers.append(name, value);
    exchange.answer.source = 'service';
    exchange.proxied = true;
  }
  return exchange;
}

/** What an event has left behind. Names stand in their own order: that of different names is nobody's business. */
function stateOf(exchange: Exchange, log: readonly string[]) {
  if (!(exchange instanceof HttpExchange)) throw new Error('That is not an HTTP exchange.');
  const { headers, answer, upstream, upstreamHost, host, aborted, shared } = exchange;
  const sorted = (table: object) => Object.entries(table).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    request: sorted(headers.toTable(0)),
    response: sorted(answer.headers.toTable(0)),
    status: answer.status,
    cleared: [...answer.cleared].sort(),
    upstream,
    upstreamHost,
    host,
    aborted: aborted === null ? null : [aborted.status, aborted.body?.toString()],
    shared: [...shared],
    log,
  };
}

/** Runs a program's events. */
export async function runProgram(program: Program, protocol: Protocol, merges: boolean) {
  const host = testHost({ createKong });
  const log: string[] = [];
  let handled: HandlerRun | null = null;
  let ran: Promise<void> = Promise.resolve();
  const handler = (kong: unknown) => {
    handled = new HandlerRun(kong as KongApi, program.phase);
    ran = handled.run(program.steps);
    return ran;
  };
  const phases = { access: handler, response: handler, rewrite: handler };
  const instance = {
    ...testInstance(7, phases, { protocol }),
    merges,
    prefetch:
      protocol === 'protobuf' || merges
        ? new PrefetchLearners({ merges, ahead: protocol === 'protobuf' })
        : null,
  };
  host.instances.set(7, instance);
  let kong = new KongInProcess(host, protocol, program.piece);
  const events: { seen: unknown[]; end: string; state: unknown }[] = [];
  let frames = 0;
  for (let event = 0; event < program.events; event++) {
    const exchange = exchangeOf(program, log, event);
    const { methods, end } = await kong.event(7, program.phase, exchange);
    // After an exit the handler may go on for a while. Where Kong has failed it may wait for ever.
    if (end !== 'raised') await ran.catch(() => undefined);
    const { seen } = handled as unknown as HandlerRun;
    frames += methods.length;
    // Where Kong has failed, what the plugin makes of it is a matter of moments.
    events.push({
      seen: end === 'raised' ? beforeTheEnd(seen) : [...seen],
      end,
      state: stateOf(exchange, log),
    });
    if (end !== 'done') kong = new KongInProcess(host, protocol, program.piece);
  }
  const stats = instance.stats[program.phase];
  return { events, frames, merged: stats.merged, failed: stats.errors };
}

/** What a handler saw before anything told it that Kong had given the event up. */
function beforeTheEnd(seen: readonly unknown[]): unknown[] {
  const at = seen.findIndex((each) => /PDK_EVENT_ENDED|PDK_CALL_FAILED/.test(JSON.stringify(each) ?? ''));
  return at < 0 ? [...seen] : seen.slice(0, at);
}
