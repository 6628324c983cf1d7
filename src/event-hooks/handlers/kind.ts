import type { z } from 'zod';
import type { Clock } from '../../base/clock.ts';
import type { Connection, ConnectTo } from '../delivery/guarded-connection.ts';
import type { HttpTargetOptions } from '../delivery/http-target.ts';
import type { HookLog } from '../log.ts';
import type { HookOf } from '../model/hook.ts';
import type { KindDescription } from '../model/kind.ts';
import type { LambdaLimits } from './lambda-protocol.ts';
import type { Composed, HookHandler } from './types.ts';

/** The tools of a handler. A handler opens connections only through `http` and `connect`, because both are guarded. */
export interface HandlerContext {
  readonly clock: Clock;
  readonly log: HookLog;
  /** Of one attempt, in milliseconds. */
  readonly timeoutMs: number;
  /** Deliveries of the hook on their way at a time. */
  readonly concurrency: number;
  readonly lambda: LambdaLimits;
  /** For an `HttpTarget`. */
  readonly http: (sslVerify: boolean) => HttpTargetOptions;
  /**
   * A connection to an address that the guard has checked, for every other protocol.
   * @throws KongTsError TARGET_REFUSED
   */
  readonly connect: (to: ConnectTo) => Promise<Connection>;
}

/** A kind of handler, and everything that the node knows of it. CONTRIBUTING.md says how to add one. */
export interface HandlerKind<
  Name extends string = string,
  Schema extends z.ZodObject = z.ZodObject,
> extends KindDescription<Name, Schema> {
  /**
   * Makes the handler of one hook. `secrets` masks its answers before anybody sees them.
   * @throws Error if the hook
   * cannot be built. The hook is then refused, or switched off with the reason
   */
  create(hook: HookOf<z.output<Schema>>, context: HandlerContext): HookHandler;
  /**
   * The request for a payload, without ids and signatures. Default: the kind sends no HTTP.
   * @throws KongTsError TEMPLATE_INVALID
   */
  request?(hook: HookOf<z.output<Schema>>, payload: string): Composed & { url: string };
}

/** A kind of handler from its record: the compiler asks for every part, and for every field of `config` by its name. */
export function defineKind<const Name extends string, Schema extends z.ZodObject>(
  kind: HandlerKind<Name, Schema>,
): HandlerKind<Name, Schema> {
  return kind;
}
