import { HttpExchange } from '../../kong-end/index.ts';
import type { Exchange } from '../../kong-end/index.ts';
import type { Phase } from '../../pdk/names/index.ts';
import type { KongDescription } from '../description.ts';
import { misuse } from '../misuse.ts';
import type { CompiledOverrides } from '../overrides.ts';
import type { PhaseResult, RunResult } from '../results.ts';
import { CallRecorder } from './calls.ts';
import type { ServedPlugin } from './events.ts';
import { runEvent } from './events.ts';
import type { RequestWorld } from './exchanges.ts';
import { requestWorld, routeRequest } from './exchanges.ts';
import type { Observer } from './observer.ts';
import { PhasePlan } from './plan.ts';
import { answerFromUpstream, finishExchange } from './upstream.ts';
import { exitView, responseView, upstreamView } from './views.ts';

/** What a request needs of the Kong that it runs in. */
export interface RequestSurroundings {
  readonly served: ServedPlugin;
  /** The phases that the plugin announces, null when nobody knows. */
  readonly phases: readonly Phase[] | null;
  readonly overrides: CompiledOverrides;
  /** Folder for bodies that are too large for memory. */
  readonly prefix: string;
  readonly observer: Observer;
}

/**
 * One request on its way through Kong, with one plugin. Its phases run in Kong's order; those that are not asked for
 * are skipped, but Kong's own work between them is done. They share the request's state (`kong.ctx.shared`, earlier
 * settings).
 */
export class KongRequest {
  readonly #world: RequestWorld;
  readonly #around: RequestSurroundings;
  readonly #plan: PhasePlan;
  #routed = false;
  #answered = false;

  /** @throws KongTsError TEST_MISUSE for a description that cannot be */
  constructor(described: KongDescription, around: RequestSurroundings) {
    const { prefix, observer, served, phases } = around;
    this.#world = requestWorld(described, prefix, observer.kongLog);
    this.#around = around;
    const subsystem = this.#world.stream ? 'stream' : 'http';
    const { name, route, service, consumer } = served.bound.entity;
    this.#plan = new PhasePlan(name, subsystem, phases, (route ?? service ?? consumer) !== null);
  }

  /** The TLS handshake, before there is a request. */
  certificate(): Promise<PhaseResult> {
    return this.phase('certificate');
  }

  /** Before the route is known. */
  rewrite(): Promise<PhaseResult> {
    return this.phase('rewrite');
  }

  /** The route, the service and the consumer are known; nothing has gone to the upstream. */
  access(): Promise<PhaseResult> {
    return this.phase('access');
  }

  /** The upstream has answered (see `response` of the description), the client has not been sent anything. */
  response(): Promise<PhaseResult> {
    return this.phase('response');
  }

  /** A TCP connection has been accepted. */
  preread(): Promise<PhaseResult> {
    return this.phase('preread');
  }

  /** The client has its answer. Runs after an exit, too. */
  log(): Promise<PhaseResult> {
    return this.phase('log');
  }

  /**
   * Runs one phase of the plugin.
   * @throws KongTsError TEST_MISUSE when Kong would not run it now: the plugin lacks it, it is over, or the request has
   *   been ended. An error of the plugin does not reject: see the result's `error` and `failure`.
   */
  async phase(phase: Phase): Promise<PhaseResult> {
    this.#plan.enter(phase);
    await this.#advance(phase);
    const { served, overrides, observer } = this.#around;
    const exchange = phase === 'certificate' ? this.#world.handshake : this.#world.exchange;
    const recorder = new CallRecorder();
    const watched = observer.begin(phase, recorder);
    const before = exitView(exchange);
    const { failure } = await runEvent(served, phase, exchange, overrides, recorder, observer.kongLog);
    const seen = await watched.end();
    if (exchange.aborted !== null) this.#plan.end(phase);
    return {
      phase,
      exit: before === null ? exitView(exchange) : null,
      failure,
      calls: recorder.calls,
      ...seen,
      upstream: phase === 'certificate' ? null : await upstreamView(exchange),
      response: phase === 'certificate' ? null : responseView(exchange),
    };
  }

  /** Runs all phases that the plugin has and that are left, in Kong's order; after an exit, log only. */
  async run(): Promise<RunResult> {
    const results: PhaseResult[] = [];
    for (const phase of this.#plan.remaining) {
      if (this.#plan.ended && phase !== 'log') continue;
      if (phase === 'certificate' && this.#world.exchange.tls === null) continue;
      // A handshake that was refused brings no request.
      if (this.#world.handshake.aborted !== null) break;
      results.push(await this.phase(phase));
    }
    if (this.#world.handshake.aborted === null) await this.#advance('log');
    const { exchange } = this.#world;
    return {
      phases: results,
      exit: exitView(exchange) ?? exitView(this.#world.handshake),
      error: results.find(({ error }) => error !== null)?.error ?? null,
      failure: results.find(({ failure }) => failure !== null)?.failure ?? null,
      calls: results.flatMap(({ calls }) => calls),
      logs: results.flatMap(({ logs }) => logs),
      events: results.flatMap(({ events }) => events),
      roundTrips: results.reduce((sum, { roundTrips }) => sum + roundTrips, 0),
      writes: results.reduce((sum, { writes }) => sum + writes, 0),
      upstream: await upstreamView(exchange),
      response: responseView(exchange),
    };
  }

  /** Does what Kong does by itself before a phase. */
  async #advance(phase: Phase): Promise<void> {
    if (phase === 'certificate' || phase === 'rewrite') return;
    const { exchange } = this.#world;
    if (!this.#routed && exchange.aborted === null) {
      this.#routed = true;
      routeRequest(this.#world);
      if (exchange.aborted !== null && phase !== 'log') throw endedByKong(exchange, phase);
    }
    if (phase !== 'response' && phase !== 'log') return;
    if (!this.#answered && exchange.aborted === null) {
      this.#answered = true;
      if (this.#around.phases?.includes('response') !== false && exchange instanceof HttpExchange) {
        exchange.buffered = true;
      }
      await answerFromUpstream(exchange, this.#world.described.response ?? {});
    }
    if (phase === 'log') finishExchange(exchange);
  }
}

function endedByKong(exchange: Exchange, phase: Phase): Error {
  return misuse(
    `Kong itself answers this request with ${String(exchange.aborted?.status)}, so that ${phase} never runs.`,
    'Describe a request that fits the protocols of its route.',
  );
}
