/** What a plugin server asks for during an event. Resolves with Kong's result; throws PdkRejection or PdkExit. */
export type AnswerCall = (method: string, args: readonly unknown[]) => unknown;

/** Kong's side of either protocol, for one plugin and one simulated nginx worker. */
export interface PluginClient {
  /** @throws RpcFailure */
  startInstance(name: string, config: string): Promise<number>;
  closeInstance(id: number): Promise<void>;
  /**
   * Runs one phase and answers the calls that the plugin makes.
   *
   * @throws RpcFailure, PdkRejection, PdkExit
   */
  handleEvent(instanceId: number, phase: string, answer: AnswerCall): Promise<void>;
  /** Lets events in flight end, then has no connections any more. */
  drain(): void;
  close(): void;
}

export interface ClientOptions {
  /** Path of the unix socket. */
  path: string;
  /** How long a server may take for each answer, in milliseconds (Kong: 60 s). */
  timeoutMs: number;
  maxMessageBytes: number;
}
