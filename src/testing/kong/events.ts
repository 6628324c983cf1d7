import { messageOf } from '../../base/errors.ts';
import type { Phase, Protocol } from '../../pdk/names/index.ts';
import { PdkExit, handleEvent } from '../../kong-end/index.ts';
import type { BoundPlugin, Exchange, SandboxLog, SavedRequest } from '../../kong-end/index.ts';
import type { CompiledOverrides } from '../overrides.ts';
import type { CallRecorder } from './calls.ts';
import type { KongSide } from './kong-side.ts';

/** Kong itself would go on without end where a server forgets every instance at once. */
const maxRestarts = 3;

/** How Kong's side of one event ended. */
export interface EventEnd {
  /** Why Kong could not finish it, null when it could. */
  readonly failure: string | null;
}

/** A configured plugin and the plugin server that runs it. */
export interface ServedPlugin {
  readonly side: KongSide;
  readonly bound: BoundPlugin;
  readonly protocol: Protocol;
}

/** Runs one phase on the plugin server with Kong 3.9.3's rules for what fails. */
export async function runEvent(
  served: ServedPlugin,
  phase: Phase,
  exchange: Exchange,
  overrides: CompiledOverrides,
  recorder: CallRecorder,
  log: SandboxLog,
): Promise<EventEnd> {
  const { name } = served.bound.entity;
  const { coroutines } = served.side.worker;
  const run = (saved: SavedRequest | null) =>
    oneEvent(served, phase, exchange, overrides, recorder, log, saved);
  try {
    const failure =
      phase === 'log'
        ? await coroutines.timer({ pluginName: name, exchange }, run)
        : await coroutines.handler(phase, run);
    // Over MsgPack:1 a failing server is skipped.
    if (failure !== null) log('error', `[${name}] ${phase}: ${failure}`);
    return { failure };
  } catch (error) {
    if (error instanceof PdkExit) return { failure: null };
    const failure = messageOf(error);
    log('error', `[${name}] ${phase}: ${failure}`);
    if (phase !== 'log') exchange.abort(500);
    return { failure };
  }
}

/** @throws KongRaised, PdkExit */
function oneEvent(
  { side, bound, protocol }: ServedPlugin,
  phase: Phase,
  exchange: Exchange,
  overrides: CompiledOverrides,
  recorder: CallRecorder,
  log: SandboxLog,
  saved: SavedRequest | null,
): Promise<string | null> {
  const { name } = bound.entity;
  const { instances } = side.worker;
  const answer = recorder.answering({ phase, exchange, plugin: bound, protocol, saved }, overrides);
  const kong = {
    protocol,
    client: side.clientOf(name, protocol),
    instances,
    reset: (plugin: string) => instances.reset(plugin),
    mayRetry: (retries: number) => retries < maxRestarts && !side.closed,
    warn: (message: string) => log('warn', `[${name}] ${phase}: ${message}; its instance is started anew`),
  };
  return side.watch(() => handleEvent(kong, bound, phase, answer));
}
