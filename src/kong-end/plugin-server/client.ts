import type { EventMeter } from '../request/phase-report.ts';

/**
 * Answers a call that a plugin server makes during an event. Resolves with Kong's result; throws KongRaised or PdkExit.
 */
export type AnswerCall = (method: string, args: readonly unknown[]) => unknown;

/**
 * Kong's side of either protocol, for one plugin in one simulated nginx worker. Methods reject with an RpcFailure if
 * Kong's Lua returns an error, and with KongRaised if it raises one.
 */
export interface PluginClient {
  /** The id of the new instance. Null if the server's answer has none and Kong takes it all the same. */
  startInstance(name: string, config: string): Promise<number | null>;
  closeInstance(id: number): Promise<void>;
  /**
   * Runs one phase and answers the calls that the plugin makes. Also rejects with what `answer` throws.
   *
   * @param instanceId null if Kong has lost it: the event is sent without one
   * @param meter counts the frames
   */
  handleEvent(
    instanceId: number | null,
    phase: string,
    answer: AnswerCall,
    meter?: EventMeter,
  ): Promise<void>;
}

export interface ClientOptions {
  /** Path of the unix socket. */
  path: string;
  /** How long a server may take for each answer, in milliseconds (Kong: 60 s). */
  timeoutMs: number;
  maxMessageBytes: number;
}
