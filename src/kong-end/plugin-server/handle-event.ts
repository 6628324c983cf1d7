import type { Phase, Protocol } from '../../pdk/names/index.ts';
import type { BoundPlugin } from '../request/exchange.ts';
import type { EventMeter } from '../request/phase-report.ts';
import type { AnswerCall, PluginClient } from './client.ts';
import { KongRaised, RpcFailure } from './failure.ts';
import type { RunningInstances } from './instances.ts';

/** A plugin of a plugin server, as one nginx worker sees it. */
export interface ServedBy {
  readonly protocol: Protocol;
  readonly client: PluginClient;
  readonly instances: RunningInstances;
  /** The server does not know an instance of the plugin: drops all of them, in every worker. */
  reset(pluginName: string): void;
  /** Whether an event may be tried again. Kong itself would try without end. */
  mayRetry(retries: number): boolean;
  warn(message: string): void;
  /** Counts the frames of all tries. */
  readonly meter?: EventMeter;
}

/**
 * Runs one phase of one plugin with Kong 3.9.3's rules for what fails.
 *
 * @returns the error with which Kong goes on without the plugin (MsgPack:1), null where there was none
 * @throws KongRaised, PdkExit
 */
export async function handleEvent(
  served: ServedBy,
  plugin: BoundPlugin,
  phase: Phase,
  answer: AnswerCall,
): Promise<string | null> {
  for (let retries = 0; ; retries++) {
    const failure = await oneTry(served, plugin, phase, answer);
    if (failure === null) return null;
    if (forgotten(failure.message, served.protocol)) {
      if (served.mayRetry(retries)) {
        served.warn(failure.message);
        served.reset(plugin.entity.name);
        continue;
      }
      const text = `${failure.message}, ${String(retries)} times in a row; Kong itself would retry without end`;
      if (served.protocol === 'protobuf') throw new KongRaised(text, { cause: failure });
      return text;
    }
    if (served.protocol === 'msgpack') return failure.message;
    // Kong answers with a 500, which raises in a log timer.
    throw new KongRaised(`pluginserver error: ${failure.message}`, { cause: failure });
  }
}

async function oneTry(
  { instances, client, meter }: ServedBy,
  plugin: BoundPlugin,
  phase: Phase,
  answer: AnswerCall,
): Promise<RpcFailure | null> {
  try {
    await client.handleEvent(await instances.idFor(plugin, client), phase, answer, meter);
    return null;
  } catch (error) {
    if (error instanceof RpcFailure) return error;
    throw error;
  }
}

/** How a server says that it does not know the instance. */
function forgotten(failure: string, protocol: Protocol): boolean {
  const text = failure.toLowerCase();
  return text.includes('no plugin instance') || (protocol === 'protobuf' && text.includes('closed'));
}
