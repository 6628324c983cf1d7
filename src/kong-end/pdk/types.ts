import type { Phase, Protocol } from '../../pdk/names/index.ts';
import type { BoundPlugin, Exchange } from '../request/exchange.ts';
import type { SavedRequest } from '../plugin-server/coroutines.ts';

/** The plugin that a function runs for, and its place. */
export interface PdkCall {
  readonly phase: Phase;
  readonly protocol: Protocol;
  readonly exchange: Exchange;
  readonly plugin: BoundPlugin;
  /**
   * The request that Kong has saved on the coroutine of the plugin: its own in log, or an earlier one that was left
   * behind.
   */
  readonly saved?: SavedRequest | null;
}

/**
 * One function of Kong's PDK. The result is what Kong's Lua returns: null is nil. Throws PdkRejection if Kong raises an
 * error, and PdkExit if Kong ends the request.
 */
export type Implementation = (call: PdkCall, args: readonly unknown[]) => unknown;

export type Implementations = Readonly<Record<string, Implementation>>;
