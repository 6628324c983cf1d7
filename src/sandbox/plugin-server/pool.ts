import { PluginConnection, type Decoder } from './connection.ts';

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

/** Connections of one plugin's server. One event (ProtoBuf:1) or one RPC (MsgPack:1) runs on each at a time. */
export class ConnectionPool<Message> {
  private readonly options: Required<PoolOptions>;
  private readonly makeDecoder: () => Decoder<Message>;
  private readonly idle = new Map<PluginConnection<Message>, NodeJS.Timeout>();
  private draining = false;
  private readonly busy = new Set<PluginConnection<Message>>();

  constructor(options: PoolOptions, makeDecoder: () => Decoder<Message>) {
    this.options = { maxIdle: 256, idleMs: 60_000, ...options };
    this.makeDecoder = makeDecoder;
  }

  /** The connection used last among the idle ones, or a new one. */
  async acquire(): Promise<PluginConnection<Message>> {
    for (const connection of [...this.idle.keys()].reverse()) {
      this.forget(connection);
      if (!connection.usable) {
        connection.destroy();
        continue;
      }
      connection.onClose = () => this.busy.delete(connection);
      connection.setBusy(true);
      this.busy.add(connection);
      return connection;
    }
    const { path, timeoutMs } = this.options;
    const connection = await PluginConnection.open(path, this.makeDecoder(), timeoutMs);
    connection.onClose = () => this.busy.delete(connection);
    this.busy.add(connection);
    return connection;
  }

  /** Gives a connection back in a clean state (nothing of its last exchange outstanding). */
  release(connection: PluginConnection<Message>): void {
    this.busy.delete(connection);
    if (this.draining || !connection.usable || this.idle.size >= this.options.maxIdle) {
      connection.destroy();
      return;
    }
    connection.setBusy(false);
    connection.onClose = () => this.forget(connection);
    const timer = setTimeout(() => connection.destroy(), this.options.idleMs);
    timer.unref();
    this.idle.set(connection, timer);
  }

  /** True when the connection was given back and can be taken again. */
  isIdle(connection: PluginConnection<Message>): boolean {
    return this.idle.has(connection);
  }

  /** Ends idle connections now and the others when they are given back. */
  drain(): void {
    this.draining = true;
    for (const connection of this.idle.keys()) connection.destroy();
  }

  /** Ends all connections, also those in use. */
  close(): void {
    for (const connection of [...this.idle.keys(), ...this.busy]) connection.destroy();
    this.busy.clear();
  }

  private forget(connection: PluginConnection<Message>): void {
    clearTimeout(this.idle.get(connection));
    this.idle.delete(connection);
  }
}
