import { messageOf } from '../../base/errors.ts';
import type { EventTransport } from '../client/transport.ts';
import { DeliveryBacklog } from '../delivery/backlog.ts';
import { ClosingTargets } from '../delivery/closing-targets.ts';
import { Engine } from '../delivery/engine.ts';
import { Outbox } from '../delivery/outbox.ts';
import { OwnReceiver, receiverOrigin } from '../delivery/own-receiver.ts';
import type { SigningSecrets } from '../delivery/own-receiver.ts';
import { TargetGuard } from '../delivery/target-guard.ts';
import { Handlers, unbuilt } from '../handlers/handlers.ts';
import type { HandlerKind } from '../handlers/kind.ts';
import { handlerKinds } from '../handlers/kinds.ts';
import { deliveryId, parseDeliveryId } from '../handlers/types.ts';
import type { TestResult } from '../handlers/types.ts';
import { HookMetrics } from '../metrics.ts';
import { newEventId } from '../model/event.ts';
import type { EventDeclaration } from '../model/event.ts';
import type { Hook } from '../model/hook.ts';
import type { KindSet } from '../model/kind-set.ts';
import { withoutSecrets } from '../model/secrecy.ts';
import { builtinSources } from '../sources/builtin.ts';
import { SourceRegistry } from '../sources/registry.ts';
import { openStore } from '../store/open.ts';
import type {
  AttemptResult,
  Delivery,
  DeliveryRecord,
  DeliverySearch,
  HookStore,
  ReplayQuery,
} from '../store/types.ts';
import { Drafts } from './drafts.ts';
import { Feed } from './feed.ts';
import { Hooks } from './hooks.ts';
import { Intake } from './intake.ts';
import type { Accepted } from './intake.ts';
import { LocalTransport } from './local-transport.ts';
import { Maintenance } from './maintenance.ts';
import { OthersChanges } from './others-changes.ts';
import { publisherWarnings } from './warnings.ts';
import { compileDispatcherOptions } from './options.ts';
import type { CompiledDispatcherOptions, DispatcherOptions } from './options.ts';
import { withoutNulls } from '../model/payload.ts';
import type { HookEvent } from '../model/event.ts';

/** Hooks, outbox and deliveries of a node. Made by {@link createDispatcher}. */
export class Dispatcher {
  readonly options: CompiledDispatcherOptions;
  /** The handlers that hooks can name. */
  readonly kinds: KindSet<HandlerKind>;
  readonly sources = new SourceRegistry();
  readonly feed = new Feed();
  readonly hooks: Hooks;
  /** Hooks that are being written. */
  readonly drafts: Drafts;
  readonly store: HookStore;
  readonly engine: Engine;
  readonly outbox: Outbox;
  readonly backlog = new DeliveryBacklog();
  readonly metrics: HookMetrics;
  /** Whether the `crud` and `balancer` events of a Kong come in. */
  watchesKong = false;
  readonly #handlers: Handlers;
  /** What hooks send to when their owner has no receiver yet. */
  readonly receiver: OwnReceiver;
  readonly #intake: Intake;
  readonly #maintenance: Maintenance;
  readonly #othersChanges: OthersChanges;
  #stopping: Promise<void> | null = null;
  readonly #creationPings = new Set<Promise<void>>();

  constructor(options: CompiledDispatcherOptions, store: HookStore, kinds: KindSet<HandlerKind>) {
    this.options = options;
    this.kinds = kinds;
    this.store = store;
    const { clock, log } = options;
    for (const declaration of builtinSources()) this.sources.publish(declaration);
    this.receiver = new OwnReceiver({ clock, secretsOf: (id) => signingSecrets(this.hooks.get(id)) });
    const handlers = this.#makeHandlers();
    this.#handlers = handlers;
    this.drafts = new Drafts(kinds, handlers, store);
    this.outbox = new Outbox({
      store,
      clock,
      log,
      onStored: (events, seqs) => {
        this.engine.offer(events, seqs);
      },
      onResults: (results) => {
        this.engine.stored(results);
      },
      onFenced: (results) => {
        this.engine.fenced(results);
      },
    });
    this.engine = new Engine({
      store,
      clock,
      log,
      createHandler: (hook) => {
        try {
          return handlers.create(hook);
        } catch (error) {
          // Such a hook is switched off when it is read. If one comes here all the same, the others go on.
          return unbuilt(messageOf(error));
        }
      },
      record: (result) => {
        this.outbox.result(result);
      },
      observe: this.#observe,
      fired: (hook) => {
        this.metrics.fired(hook);
        // This process does not see the end of another process's deliveries.
        if (this.engine.active) this.backlog.began(hook.id);
      },
      onGone: (hook) => {
        // A hook that was changed in the meantime may have a target that is still there.
        this.hooks
          .disable(hook, 'the target answered 410 Gone')
          .catch(this.#report('a hook was not switched off'));
      },
      schedule: options.retrySchedule,
      limits: {
        queueLength: options.queueLength,
        queueSize: options.queueSize,
        concurrency: options.hookConcurrency,
      },
      targetConcurrency: options.targetConcurrency,
      targetRate: options.targetRate,
    });
    this.hooks = new Hooks({
      store,
      clock,
      log,
      kinds,
      check: (hook, before) => handlers.check(hook, before),
      build: (hook) => {
        void handlers.create(hook).close();
      },
      changed: async (table) => {
        this.engine.setHooks(table.all());
        // A new target is nobody's yet.
        if (this.store.shared) this.#maintenance.turnNow();
        this.metrics.keepHooks(table.all());
        this.backlog.keepHooks(table.all().map(({ id }) => id));
        await this.feed.setInterest(table.interest());
      },
    });
    this.metrics = new HookMetrics({
      backlog: this.backlog,
      hooks: () => this.hooks.list(),
      store: () => ({ kind: store.kind, healthy: this.outbox.healthy }),
      delivering: () => this.engine.active,
    });
    this.#othersChanges = this.#makeOthersChanges();
    this.#intake = this.#makeIntake();
    this.#maintenance = new Maintenance(this);
  }

  #makeHandlers(): Handlers {
    return new Handlers(this.kinds, this.options, {
      guard: new TargetGuard(this.options.guard),
      closing: new ClosingTargets(),
      own: (origin) => (origin === receiverOrigin ? this.receiver.target : null),
    });
  }

  #makeIntake(): Intake {
    const { clock, maxEventBytes, maxUnfinished } = this.options;
    return new Intake({
      table: async () => {
        // If the store does not answer, the known hooks stay in force. The maintenance says so.
        await this.takeOverChanges().catch(() => undefined);
        return this.hooks.table;
      },
      sources: this.sources,
      outbox: this.outbox,
      feed: this.feed,
      clock,
      maxEventBytes,
      hasRoom: () => this.backlog.total < maxUnfinished,
      observer: this.metrics,
    });
  }

  #makeOthersChanges(): OthersChanges {
    return new OthersChanges({
      store: this.store,
      log: this.options.log,
      readHooks: () => this.hooks.reload(),
      lookForDeliveries: () => {
        this.engine.lookAgain();
      },
      askForRights: () => {
        this.#maintenance.turnNow();
      },
    });
  }

  async start(): Promise<void> {
    this.#othersChanges.start();
    await this.hooks.reload();
    await this.#maintenance.start();
  }

  /** Takes over what another process on the same store has changed. @throws KongTsError STORE_FAILED */
  takeOverChanges(): Promise<void> {
    return this.#othersChanges.inForce();
  }

  /** A transport for the hub of this process. */
  transport(): EventTransport {
    return new LocalTransport(this.#intake, this.feed, (declaration) => {
      this.publish(declaration);
    });
  }

  /** @returns why the declaration is refused, null if it is taken */
  publish(declaration: EventDeclaration): string | null {
    const problem = this.sources.publish(declaration);
    if (problem !== null) {
      const { source } = declaration;
      this.options.log.warn('a declaration of an event is not taken', {
        source: source.slice(0, 256),
        problem,
      });
    }
    return problem;
  }

  /** See {@link Intake.accept}. */
  accept(events: readonly HookEvent[]): Promise<Accepted> {
    return this.#intake.accept(events);
  }

  /** Stores a new hook, and pings its target if that is possible. @throws HookInvalidError */
  async createHook(raw: unknown): Promise<Hook> {
    const hook = await this.hooks.create(raw);
    this.#pingOnCreation(hook);
    return hook;
  }
  async putHook(id: string, raw: unknown): Promise<Hook> {
    const { hook, created } = await this.hooks.put(id, raw);
    if (created) this.#pingOnCreation(hook);
    return hook;
  }

  /** Why a valid hook may never fire or never arrive, a sentence each. */
  async warnings(hook: Hook): Promise<string[]> {
    return [...publisherWarnings(hook, this), ...(await this.#handlers.warnings(hook))];
  }

  /** The payload of a ping: the hook, without its secrets. */
  pingPayload(hook: Hook, operation?: 'create'): Record<string, unknown> {
    return {
      source: 'kong:event_hooks',
      event: 'ping',
      event_hooks: withoutNulls(withoutSecrets(hook, this.kinds.get(hook.handler))),
      ...(operation === undefined ? {} : { operation }),
    };
  }

  /** Runs a hook's handler now, outside of its queue. */
  async run(hook: Hook, payload: Record<string, unknown>): Promise<TestResult> {
    const handler = this.engine.handlerOf(hook.id);
    if (handler === null) return { error: 'the dispatcher is stopping' };
    return handler.test(withoutNulls(payload) as Record<string, unknown>, deliveryId(hook.id, newEventId()));
  }

  /** Makes deliveries again. @returns the numbers of the events, in order; at most `query.size` */
  async replay(query: ReplayQuery): Promise<number[]> {
    await this.outbox.flush();
    const { seqs, waited } = await this.store.replay(query, this.options.clock.now());
    this.metrics.replayed(seqs.length);
    // Those that waited are counted already.
    this.backlog.set(query.hookId, this.backlog.of(query.hookId) + seqs.length - waited);
    this.engine.lookForDue(query.hookId);
    return seqs;
  }

  /**
   * Deliveries of one event, or the one of an id of a delivery.
   * @param hooks whose; null: all hooks'
   */
  async deliveriesOf(
    id: string,
    hooks: readonly string[] | null,
    wanted: Pick<DeliverySearch, 'state'> = {},
  ): Promise<DeliveryRecord[]> {
    const one = parseDeliveryId(id);
    const among = hooks ?? this.hooks.list().map((hook) => hook.id);
    const ids = one === null ? among : among.filter((hook) => hook === one.hookId);
    const found: DeliveryRecord[] = [];
    for (const hook of ids) {
      const record = await this.store.delivery(hook, one?.eventId ?? id);
      if (record !== null && (wanted.state ?? record.state) === record.state) {
        const { history: _, ...rest } = record;
        found.push(rest);
      }
    }
    return found;
  }

  /** Counts what is to be delivered, as the store has it. */
  async recount(): Promise<void> {
    const unfinished = await this.store.unfinished();
    for (const { id } of this.hooks.list()) this.backlog.set(id, unfinished.get(id) ?? 0);
  }

  /**
   * Ends in order: deliveries in flight get `timeoutMs` (default 5000), then results are written, and the store closes.
   */
  stop(timeoutMs = 5000): Promise<void> {
    return (this.#stopping ??= this.#stop(timeoutMs));
  }

  async #stop(timeoutMs: number): Promise<void> {
    await Promise.all(this.#creationPings);
    this.#maintenance.stop();
    this.#othersChanges.stop();
    await this.engine.stop(timeoutMs);
    await this.outbox.flush();
    await this.#maintenance.release();
    await this.store.close();
  }

  #pingOnCreation(hook: Hook): void {
    if (this.kinds.get(hook.handler)?.pings !== true) return;
    const event = {
      id: newEventId(),
      source: 'kong:event_hooks',
      event: 'ping',
      at: this.options.clock.now(),
      payload: JSON.stringify(this.pingPayload(hook, 'create')),
      hooks: [hook.id],
    };
    const stored = this.outbox
      .add([event])
      .then(() => undefined, this.#report('the ping of a new hook was not stored'));
    this.#creationPings.add(stored);
    void stored.finally(() => this.#creationPings.delete(stored));
  }

  readonly #observe = (hook: Hook, result: AttemptResult, delivery: Delivery): void => {
    this.metrics.attempted(hook, result);
    if (result.state !== 'waiting') this.backlog.ended(hook.id);
    if (!this.feed.watched) return;
    this.feed.notify({
      type: 'delivery',
      id: deliveryId(hook.id, delivery.eventId),
      hook: hook.id,
      seq: delivery.seq,
      source: delivery.source,
      event: delivery.event,
      at: result.finishedAt,
      state: result.state,
      attempts: result.attempts,
      status: result.status,
      latencyMs: result.latencyMs,
      error: result.error,
    });
  };

  #report(what: string): (error: unknown) => void {
    return (error) => {
      this.options.log.error(what, { error: messageOf(error) });
    };
  }
}

/** What a hook signs with; null: nothing, or there is no hook. */
function signingSecrets(hook: Hook | undefined): SigningSecrets | null {
  const { secret, signature } = hook?.config ?? {};
  if (typeof secret !== 'string') return null;
  return { secret, algorithm: signature === 'sha1' ? 'sha1' : 'sha256' };
}

/**
 * Starts a dispatcher in this process.
 * @param kinds the handlers that hooks can name
 * @throws KongTsError STORE_FAILED when the store's folder cannot be used
 */
export async function createDispatcher(
  options: DispatcherOptions = {},
  kinds: KindSet<HandlerKind> = handlerKinds,
): Promise<Dispatcher> {
  const compiled = compileDispatcherOptions(options);
  const dispatcher = new Dispatcher(compiled, await openStore(compiled.store, compiled), kinds);
  await dispatcher.start();
  return dispatcher;
}
