import type { StartedTestContainer } from 'testcontainers';
import { KongTsError, messageOf } from '../../base/errors.ts';
import type { PluginPlan } from './environment.ts';
import {
  configText,
  hostName,
  hooksToken,
  hostPlan,
  imageOf,
  insidePlan,
  kongEnvironment,
  noPlugins,
  paths,
  ports,
  serverVariables,
  usesDatabase,
} from './environment.ts';
import { HostPluginServer } from './host-server.ts';
import { InsidePluginServers } from './inside-server.ts';
import { LogBook } from './log-book.ts';
import type { KongContainerOptions } from './options.ts';
import type { LocatedPlugin } from './plugins.ts';
import { locatePlugin } from './plugins.ts';
import type { Database } from './postgres.ts';
import { startDatabase } from './postgres.ts';
import type { Runtime } from './runtime.ts';
import { runtimeOf } from './runtime.ts';
import type { Parts } from './started.ts';
import { StartedKongContainer } from './started.ts';
import { labelsOf, loadTestcontainers, requireImage } from './testcontainers.ts';

/**
 * Kong in a container, with plugins, for integration tests. `start()` resolves when Kong and the plugin server are
 * ready; `stop()` of what it resolves to takes everything away again.
 *
 * ```ts
 * const kong = await new KongContainer({ plugins: ['./hello.ts'], declarativeConfig: 'kong.yml' }).start();
 * const answer = await fetch(`${kong.proxyUrl}/greet?name=Ada`);
 * await kong.stop();
 * ```
 */
export class KongContainer {
  readonly #options: KongContainerOptions;

  constructor(options: KongContainerOptions = {}) {
    this.#options = options;
  }

  /**
   * Starts everything.
   * @throws KongTsError CONTAINERS_UNAVAILABLE (no testcontainers, no engine), CONTAINER_FAILED (with the last lines of
   * the container's log), PLUGIN_NOT_FOUND, PLUGIN_INVALID, FILE_UNREADABLE
   */
  async start(): Promise<StartedKongContainer> {
    const options = this.#options;
    const image = imageOf(options);
    const config = options.declarativeConfig === undefined ? null : configText(options.declarativeConfig);
    const plugins = await Promise.all((options.plugins ?? []).map(locatePlugin));
    await requireImage(image, options.pull ?? 'missing');
    const undo: (() => Promise<unknown>)[] = [];
    try {
      return await this.#start(image, config, plugins, undo);
    } catch (error) {
      for (const step of undo.reverse()) await step().catch(() => undefined);
      throw error;
    }
  }

  async #start(
    image: string,
    config: string | null,
    plugins: readonly LocatedPlugin[],
    undo: (() => Promise<unknown>)[],
  ): Promise<StartedKongContainer> {
    const options = this.#options;
    const timeout = options.startupTimeout ?? 60_000;
    const token = plugins.length === 0 ? null : hooksToken(options);
    const host = await this.#hostServer(plugins, timeout, token, undo);
    const runtime = host === null && plugins.length > 0 ? runtimeOf(image, await labelsOf(image)) : null;
    const plan = planOf(options, plugins, host, runtime, token);
    const database = await this.#database(image, plan, undo);
    const log = new LogBook();
    const environment = kongEnvironment(options, plan, database?.environment);
    const container = await this.#run(image, config, environment, plan, {
      log,
      network: database?.network ?? null,
      timeout,
    });
    undo.push(() => container.stop());
    const inside =
      runtime === null
        ? null
        : new InsidePluginServers(container, {
            command: runtime.command,
            sockets: plan.sockets,
            eventHooks: options.eventHooks === true,
            timeoutMs: timeout,
            log,
          });
    await inside?.ready();
    const parts: Parts = { options, container, log, host, inside, database, timeout };
    const started = new StartedKongContainer(parts, hooksUrl(options, container, host), token);
    if (usesDatabase(options) && config !== null) await started.configure(config);
    return started;
  }

  async #hostServer(
    plugins: readonly LocatedPlugin[],
    timeout: number,
    token: string | null,
    undo: (() => Promise<unknown>)[],
  ): Promise<HostPluginServer | null> {
    const options = this.#options;
    if (options.pluginServer !== 'host' || plugins.length === 0) return null;
    const server = new HostPluginServer(options, plugins, timeout, serverVariables(options, plugins, token));
    undo.push(() => server.stop());
    await server.start();
    return server;
  }

  async #database(
    image: string,
    plan: PluginPlan,
    undo: (() => Promise<unknown>)[],
  ): Promise<Database | null> {
    const { postgres = false, pull = 'missing', startupTimeout = 60_000 } = this.#options;
    if (postgres === false) return null;
    const database = await startDatabase({
      image: postgres === true ? 'postgres:16' : postgres.image,
      kongImage: image,
      environment: (own) => kongEnvironment(this.#options, plan, own),
      mounts: plan.mounts,
      pull,
      startupTimeout,
    });
    undo.push(() => database.stop());
    return database;
  }

  async #run(
    image: string,
    config: string | null,
    environment: Record<string, string>,
    plan: PluginPlan,
    { log, network, timeout }: { log: LogBook; network: Database['network'] | null; timeout: number },
  ): Promise<StartedTestContainer> {
    const { GenericContainer, Wait } = await loadTestcontainers();
    const { streamPorts = [], streamTlsPorts = [], eventHooks, pluginServer } = this.#options;
    const hooks = eventHooks === true && pluginServer !== 'host' ? [ports.eventHooks] : [];
    const container = new GenericContainer(image)
      .withEnvironment(environment)
      .withExposedPorts(ports.proxy, ports.proxyTls, ports.admin, ...hooks, ...streamPorts, ...streamTlsPorts)
      .withExtraHosts([{ host: hostName, ipAddress: 'host-gateway' }])
      .withBindMounts(plan.mounts.map((mount) => ({ ...mount })))
      .withLogConsumer(log.consume)
      .withWaitStrategy(Wait.forHttp('/status', ports.admin).forStatusCode(200))
      .withStartupTimeout(timeout);
    if (network !== null) container.withNetwork(network);
    if (config !== null && !usesDatabase(this.#options))
      container.withCopyContentToContainer([{ content: config, target: paths.config, mode: 0o644 }]);
    this.#options.configure?.(container);
    try {
      return await container.start();
    } catch (error) {
      throw new KongTsError(
        'CONTAINER_FAILED',
        `Kong (image ${image}) did not start: ${messageOf(error)}\nThe end of its log:\n${log.tail(40)}`,
        { cause: error },
      );
    }
  }
}

function planOf(
  options: KongContainerOptions,
  plugins: readonly LocatedPlugin[],
  host: HostPluginServer | null,
  runtime: Runtime | null,
  token: string | null,
): PluginPlan {
  if (host !== null) return hostPlan(options, plugins, host.folder);
  return runtime === null ? noPlugins : insidePlan(options, plugins, runtime, token);
}

function hooksUrl(
  options: KongContainerOptions,
  container: StartedTestContainer,
  host: HostPluginServer | null,
): string | null {
  if (options.eventHooks !== true) return null;
  if (host === null)
    return `http://${container.getHost()}:${String(container.getMappedPort(ports.eventHooks))}`;
  return host.hooksUrl;
}
