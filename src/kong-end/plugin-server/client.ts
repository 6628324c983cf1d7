/** What a plugin server asks for during an event. Resolves with Kong's result; throws KongRaised or PdkExit. */
export type AnswerCall = (method: string, args: readonly unknown[]) => unknown;

/**
 * Kong's side of either protocol, for one plugin in one simulated nginx worker. Methods reject with an RpcFailure where
 * Kong's Lua returns an error, with KongRaised where it raises one.
 */
export interface PluginClient {
  /** The id of the new instance, null where the server's answer has none and Kong takes it all the same. */
  startInstance(name: string, config: string): Promise<number | null>;
  closeInstance(id: number): Promise<void>;
  /**
   * Runs one phase and answers the calls that the plugin makes. Also rejects with what `answer` throws.
   *
   * @param instanceId null where Kong has lost it: the event is sent without one
   */
  handleEvent(instanceId: number | null, phase: string, answer: AnswerCall): Promise<void>;
}

export interface ClientOptions {
  /** Path of the unix socket. */
  path: string;
  /** How long a server may take for each answer, in milliseconds (Kong: 60 s). */
  timeoutMs: number;
  maxMessageBytes: number;
}
