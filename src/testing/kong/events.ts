import { messageOf } from '../../errors.ts';
import type { Phase, Protocol } from '../../pdk/phases.ts';
import type { Exchange } from '../../sandbox/gateway/exchange.ts';
import type { BoundPlugin } from '../../sandbox/gateway/plugins.ts';
import type { SandboxLog } from '../../sandbox/gateway/log.ts';
import { PdkExit, RpcFailure } from '../../sandbox/plugin-server/failure.ts';
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
  const { side, bound } = served;
  const { protocol, client, instances } = side;
  const answer = recorder.answering({ phase, exchange, plugin: bound, protocol }, overrides);
  const fail = (failure: string, skipped: boolean): EventEnd => {
    log('error', `[${bound.entity.name}] ${phase}: ${failure}`);
    if (!skipped && phase !== 'log') exchange.abort(500);
    return { failure };
  };
  for (let restarts = 0; ; restarts++) {
    let id: number;
    try {
      id = await side.watch(() => instances.idFor(bound));
    } catch (error) {
      return fail(`starting instance: ${messageOf(error)}`, false);
    }
    try {
      await side.watch(() => client.handleEvent(id, phase, answer));
      return { failure: null };
    } catch (error) {
      if (error instanceof PdkExit) return { failure: null };
      const failure = messageOf(error);
      // Over MsgPack:1 a failing server is skipped; a refused call ends the request over both protocols.
      if (!(error instanceof RpcFailure)) return fail(failure, false);
      if (!forgotten(failure, protocol) || restarts === maxRestarts || side.closed) {
        return fail(failure, protocol === 'msgpack');
      }
      log('warn', `[${bound.entity.name}] ${phase}: ${failure}; its instance is started anew`);
      instances.reset();
    }
  }
}

/** How a server says that it does not know the instance. */
function forgotten(failure: string, protocol: Protocol): boolean {
  const text = failure.toLowerCase();
  return text.includes('no plugin instance') || (protocol === 'protobuf' && text.includes('closed'));
}
