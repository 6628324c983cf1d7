import type { CompiledDispatcherOptions } from '../dispatcher/options.ts';
import type { ClosingTargets } from '../delivery/closing-targets.ts';
import { guardedConnection } from '../delivery/guarded-connection.ts';
import { refusedAddresses } from '../delivery/refused-addresses.ts';
import { targetWarnings } from '../delivery/target-warnings.ts';
import type { HttpTargetOptions } from '../delivery/http-target.ts';
import type { TargetGuard } from '../delivery/target-guard.ts';
import { HookInvalidError } from '../model/errors.ts';
import type { Hook } from '../model/hook.ts';
import type { KindSet } from '../model/kind-set.ts';
import { maskOf } from '../model/secrecy.ts';
import type { HandlerContext, HandlerKind } from './kind.ts';
import { MaskedHandler } from './masked.ts';
import type { HookHandler } from './types.ts';

/** What all hooks share about targets. */
export interface Targets {
  guard: TargetGuard;
  closing: ClosingTargets;
  /** See HttpTargetOptions. */
  own?: HttpTargetOptions['ownTarget'];
}

/** Makes the handlers of hooks, and checks what a hook says to its handler. */
export class Handlers {
  readonly kinds: KindSet<HandlerKind>;
  readonly #options: CompiledDispatcherOptions;
  readonly #targets: Targets;

  constructor(kinds: KindSet<HandlerKind>, options: CompiledDispatcherOptions, targets: Targets) {
    this.kinds = kinds;
    this.#options = options;
    this.#targets = targets;
  }

  /** Makes the handler that a hook names. @throws Error where it cannot be built */
  create(hook: Hook): HookHandler {
    const kind = this.#kindOf(hook);
    return new MaskedHandler(kind.create(hook, this.#context(hook)), maskOf(hook, kind));
  }

  /**
   * Checks what the schema cannot see: templates and Lua that do not parse, and addresses that the guard refuses in any
   * case.
   * @param before the hook as it was. An address that it had already is left to the guard of connections
   * @throws HookInvalidError naming the field
   */
  async check(hook: Hook, before?: Hook): Promise<void> {
    const kind = this.#kindOf(hook);
    const violations = [...(await kind.check(hook.config))];
    // The hook that stands for a broken row has no address that could be read.
    const isWhole = before?.handler === hook.handler && kind.config.safeParse(before.config).success;
    const known = new Set(isWhole ? kind.addresses(before.config).map(({ host }) => host) : []);
    const added = kind.addresses(hook.config).filter(({ host }) => !known.has(host));
    violations.push(...refusedAddresses(added, this.#targets.guard));
    if (violations.length > 0) throw new HookInvalidError(violations);
  }

  /** What is right about a hook's target and does not let deliveries arrive now. */
  warnings(hook: Hook): Promise<string[]> {
    const { guard, own } = this.#targets;
    const addresses = this.#kindOf(hook).addresses(hook.config);
    // Nobody resolves the name of what answers within this process.
    const others = addresses.filter(({ host }) => (own?.(`http://${host}`) ?? null) === null);
    return targetWarnings(others, guard);
  }

  #kindOf({ handler }: Hook): HandlerKind {
    const kind = this.kinds.get(handler);
    if (kind === null) throw new HookInvalidError([{ path: 'handler', text: 'no such handler' }]);
    return kind;
  }

  #context(hook: Hook): HandlerContext {
    const { clock, log, timeoutMs, maxResponseBytes, keepResponseBytes } = this.#options;
    const { guard, closing, own } = this.#targets;
    const concurrency = hook.concurrency ?? this.#options.hookConcurrency;
    return {
      clock,
      log,
      timeoutMs,
      concurrency,
      lambda: { timeoutMs: this.#options.lambdaTimeoutMs, memoryBytes: this.#options.lambdaMemoryBytes },
      http: (sslVerify) => ({
        guard,
        closing,
        ...(own === undefined ? {} : { ownTarget: own }),
        sslVerify,
        timeoutMs,
        maxResponseBytes,
        keepResponseBytes,
        pipelining: concurrency,
      }),
      connect: (to) => guardedConnection(guard, to, timeoutMs),
    };
  }
}

/** Stands for a handler that could not be made: every attempt fails with the reason. */
export function unbuilt(reason: string): HookHandler {
  const error = `the hook cannot be built: ${reason}`;
  return {
    target: null,
    attempt: async () => ({ ok: false, status: null, error, response: null }),
    test: async () => ({ error }),
    close: async () => {},
  };
}
