import type { StartedTestContainer } from 'testcontainers';
import { KongTsError } from '../../base/errors.ts';
import { KongAdmin } from '../../kong-admin/index.ts';
import { importEntities } from './entities/import.ts';
import { configText, hostName, paths, ports, readsConfigFile, usesDatabase } from './environment.ts';
import type { HostPluginServer } from './host-server.ts';
import { askOnce } from './ask-once.ts';
import type { InsidePluginServers } from './inside-server.ts';
import { NginxWorkers } from './nginx-workers.ts';
import type { LogBook } from './log-book.ts';
import type { KongContainerOptions } from './options.ts';
import type { Database } from './postgres.ts';
import { stopAll } from './stop-all.ts';
import { until } from './until.ts';

/** What a started Kong is made of. */
export interface Parts {
  readonly options: KongContainerOptions;
  readonly container: StartedTestContainer;
  readonly log: LogBook;
  readonly host: HostPluginServer | null;
  readonly inside: InsidePluginServers | null;
  readonly database: Database | null;
  readonly timeout: number;
}

/** A moment in the logs. */
export interface LogMark {
  readonly kong: number;
  readonly server: number;
}

/** Kong, running. URLs have no slash at their end and can be reached from this machine. */
export class StartedKongContainer {
  /** testcontainers' own view of Kong's container. */
  readonly container: StartedTestContainer;
  /** Admin API of the event hook dispatcher; null unless `eventHooks` was asked for. */
  readonly eventHooksUrl: string | null;
  /** What that Admin API asks for as `Kong-Admin-Token`: `KONG_TS_ADMIN_TOKEN` of `environment`, else one for this run. */
  readonly eventHooksToken: string | null;
  readonly #parts: Parts;

  constructor(parts: Parts, eventHooksUrl: string | null, eventHooksToken: string | null = null) {
    this.#parts = parts;
    this.container = parts.container;
    this.eventHooksUrl = eventHooksUrl;
    this.eventHooksToken = eventHooksToken;
  }

  get proxyUrl(): string {
    return this.#url('http', ports.proxy);
  }

  /** The proxy with TLS; its certificate is one that Kong made up, unless the configuration has another. */
  get proxyTlsUrl(): string {
    return this.#url('https', ports.proxyTls);
  }

  get adminUrl(): string {
    return this.#url('http', ports.admin);
  }

  /** `tcp://HOST:PORT` of one of `streamPorts` or `streamTlsPorts`. */
  streamUrl(port: number): string {
    return this.#url('tcp', port);
  }

  /** How Kong, and a plugin server inside its container, reach a port of this machine that listens on more than 127.0.0.1. */
  hostUrl(port: number): string {
    return `http://${hostName}:${String(port)}`;
  }

  /**
   * What Kong's container has printed so far, and a plugin server on the host after it.
   * @param since only what has been printed after this mark
   */
  logs(since?: LogMark): string {
    const { log, host } = this.#parts;
    return log.since(since?.kong ?? 0) + (host?.log.since(since?.server ?? 0) ?? '');
  }

  /** The end of the logs now: before a test, for what was printed during it. */
  logMark(): LogMark {
    const { log, host } = this.#parts;
    return { kong: log.end, server: host?.log.end ?? 0 };
  }

  /** Runs a command in Kong's container. @throws KongTsError CONTAINER_FAILED when its exit status is not 0 */
  async exec(command: readonly string[]): Promise<string> {
    const { exitCode, output } = await this.container.exec([...command]);
    if (exitCode === 0) return output;
    throw new KongTsError(
      'CONTAINER_FAILED',
      `"${command.join(' ')}" ended with status ${String(exitCode)} in Kong's container: ${output.trim()}`,
    );
  }

  /**
   * Gives Kong another declarative configuration while it runs. Without a database it replaces the whole; with one each
   * entity is put over the Admin API, which makes it or changes the one that is there (the same id, name, key or scope), and
   * removes none. Kong takes it over within a moment, not at once.
   * @throws KongTsError ADMIN_REFUSED with Kong's answer and, with a database, the entity; DECLARATIVE_INVALID,
   * ADMIN_UNREACHABLE
   */
  async configure(config: object | string): Promise<void> {
    const text = configText(config);
    if (usesDatabase(this.#parts.options)) return importEntities(new KongAdmin({ url: this.adminUrl }), text);
    const { status, text: said } = await askOnce('POST', `${this.adminUrl}/config`, { config: text });
    if (status >= 400)
      throw new KongTsError('ADMIN_REFUSED', `Kong refused the configuration (${String(status)}): ${said}`);
  }

  /**
   * `kong reload`; resolves when new nginx workers answer and no old one takes requests any more (until then an old one
   * answers, and what it is told is overwritten by what the new ones have read), and, where Kong starts the plugin server,
   * a new one serves.
   * @param config another declarative configuration. Kong reads it while it reloads where `declarativeConfig` was given;
   *   with a database it is imported before, and where Kong was started without a configuration it is sent after.
   *   See `configure`.
   * @throws KongTsError CONTAINER_FAILED, and as `configure`
   */
  async reload(config?: object | string): Promise<void> {
    const { options, inside, timeout } = this.#parts;
    const text = config === undefined ? null : configText(config);
    const withDatabase = usesDatabase(options);
    const readsFile = !withDatabase && readsConfigFile(options);
    if (text !== null && readsFile) await this.#copyConfig(text);
    if (text !== null && withDatabase) await this.configure(text);
    const before = await inside?.ready();
    const workers = new NginxWorkers(this.container, this.adminUrl);
    const old = await workers.seen();
    await this.exec(['kong', 'reload']);
    await until(
      timeout,
      async () => (await workers.areNewerThan(old)) || null,
      () => new KongTsError('CONTAINER_FAILED', `Kong has no new workers after kong reload:\n${this.logs()}`),
    );
    if (before !== undefined) await inside?.ready(before);
    if (text !== null && !withDatabase && !readsFile) await this.configure(text);
  }

  /**
   * Ends the plugin server and resolves when the next one serves.
   * @param signal SIGTERM (default) lets events finish; SIGKILL is a crash
   * @throws KongTsError CONTAINER_FAILED also when there is no plugin server
   */
  async restartPluginServer(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const server = this.#parts.host ?? this.#parts.inside;
    if (server === null)
      throw new KongTsError(
        'CONTAINER_FAILED',
        'There is no plugin server to restart: no plugins were given.',
      );
    await server.restart(signal);
  }

  /** Takes everything away: containers, networks, processes and temporary folders. What fails keeps nothing else. */
  async stop(): Promise<void> {
    const { container, host, database } = this.#parts;
    await stopAll([() => container.stop(), () => host?.stop(), () => database?.stop()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #copyConfig(content: string): Promise<void> {
    await this.container.copyContentToContainer([{ content, target: paths.config, mode: 0o644 }]);
  }

  #url(scheme: string, port: number): string {
    return `${scheme}://${this.container.getHost()}:${String(this.container.getMappedPort(port))}`;
  }
}
