import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { BlockList, isIP } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { uuidOf } from '../base/uuid.ts';
import { KongTsError, messageOf } from '../base/errors.ts';
import type { AdminApiOptions, AdminListener } from './admin-listener.ts';
import { startAdmin } from './admin-listener.ts';
import {
  PluginServers,
  createEntityStore,
  createRegistry,
  createLog,
  createNodeState,
  keyAuthPlugin,
  loadDeclarative,
  pluginRefusals,
} from '../kong-end/index.ts';
import type { KnownPlugin, MutableEntityStore, SandboxLog } from '../kong-end/index.ts';
import { Certificates } from './gateway/certificates.ts';
import { ConfigState } from './gateway/config-state.ts';
import type { HttpListener } from './gateway/http-listener.ts';
import { listenHttp } from './gateway/http-listener.ts';
import { KeyAuth } from './gateway/key-auth.ts';
import type { ListenAddress } from './gateway/listen.ts';
import { parseListen, urlHost } from './gateway/listen.ts';
import { UpstreamConnections } from './gateway/upstream/connections.ts';
import type { SandboxOptions } from './options.ts';
import { listenStream } from './streams/listener.ts';
import { WorkerPids } from './worker-pids.ts';

/** A running development gateway. */
export interface Sandbox {
  /** Base URL of the first proxy listener without TLS, null when there is none. */
  readonly proxyUrl: string | null;
  /** Base URL of the first proxy listener with TLS. */
  readonly proxyTlsUrl: string | null;
  /** Base URL of the first Admin API listener without TLS, null when there is none. */
  readonly adminUrl: string | null;
  /** Base URL of the first Admin API listener with TLS. */
  readonly adminTlsUrl: string | null;
  /** Ports of the stream listeners, in the order given. */
  readonly streamPorts: readonly number[];
  /** The configuration; what the Admin API changes. */
  readonly store: MutableEntityStore;
  /**
   * Asks for the plugins' dumps and reads the configuration files again, and starts plugin servers anew, as `kong reload`. Rejects
   * when a dump or a file is not valid; the old configuration stays.
   */
  reload(): Promise<void>;
  /** Ends everything: listeners, connections, plugin servers that it started, its temporary directory. */
  close(): Promise<void>;
}

/**
 * How long nginx takes from `kong reload` to new workers, in milliseconds. Kong's files are read at its beginning, and what
 * they hold is taken over at its end: until then the old workers answer, and what the Admin API is told is lost.
 */
const workerStartMs = 500;

/** How long requests and log phases may go on when the sandbox is closed, in milliseconds. */
const closeGraceMs = 5000;

/**
 * Starts the development gateway: Kong's side of the plugin socket, for tests and development only.
 *
 * @throws KongTsError DECLARATIVE_INVALID, PORT_IN_USE, PLUGIN_SERVER_UNREACHABLE, PLUGIN_INVALID, USAGE
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const log = options.log ?? createLog(process.stderr, options.logLevel ?? 'notice');
  const closers: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse())
      await closer().catch((error: unknown) => log('error', `[sandbox] closing: ${messageOf(error)}`));
  };
  try {
    return await open(options, log, closers, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function open(
  options: SandboxOptions,
  log: SandboxLog,
  closers: (() => Promise<unknown>)[],
  close: () => Promise<void>,
): Promise<Sandbox> {
  const prefix = await preparePrefix(options.prefix, closers);
  const servers = await PluginServers.open(options.pluginServers ?? [], {
    prefix,
    log,
    timeoutMs: options.pluginServerTimeoutMs ?? 60_000,
    maxMessageBytes: options.maxMessageBytes ?? 64 * 1024 * 1024,
    nginxMainEnv: options.nginxMainEnv ?? '',
    oldWorkerEnds: options.oldWorkerEnds,
  });
  closers.push(() => servers.close());
  let known = knownPlugins(servers.known, options.plugins, log);
  const files = options.config ?? [];
  const load = {
    strict: options.strict ?? false,
    deck: options.deck ?? false,
    passedOver: (text: string) => log('warn', `[sandbox] ${text}`),
  };
  const store = files.length === 0 ? createEntityStore(known) : loadDeclarative(files, known, load);
  const node = createNodeState({
    id: uuidOf(prefix),
    prefix,
    log,
    isTrusted: trustedTest(options.trustedIps ?? []),
    snapshot: () => store.snapshot(),
  });
  const keyAuth = new KeyAuth();
  const config = new ConfigState(store, () => [keyAuth, ...servers.plugins], log);
  closers.push(async () => config.close());
  const connections = new UpstreamConnections();
  const pending = new Set<Promise<unknown>>();
  closers.push(async () => {
    await settle(pending);
    connections.close();
  });
  const workers = Math.max(1, options.workers ?? 1);
  const tls = { node, config, certificates: new Certificates(log) };
  const bodyBufferBytes = options.bodyBufferBytes ?? 8192;
  const { onRequest = null } = options;
  const shared = { node, config, connections, pending, bodyBufferBytes, workers, tls, onRequest };
  const proxies = await listenAll(
    options.proxyListen ?? '127.0.0.1:8000',
    '--proxy-listen',
    closers,
    (address) => listenHttp(address, shared),
  );
  const streams = await listenAll(options.streamListen ?? 'off', '--stream-listen', closers, (address) =>
    listenStream(address, { ...tls, workers, pending }),
  );
  const pids = new WorkerPids(workers);
  let closed = false;
  closers.push(async () => {
    closed = true;
  });
  const about = { known: () => known, nodeId: node.id, workerPids: () => pids.now, loading: load };
  const admin = await startAdminOf(options, store, about, tls.certificates, closers);
  return {
    proxyUrl: urlOf(proxies, false),
    proxyTlsUrl: urlOf(proxies, true),
    adminUrl: admin?.url ?? null,
    adminTlsUrl: admin?.tlsUrl ?? null,
    streamPorts: streams.map(({ listener }) => listener.port),
    store,
    reload: async () => {
      const dumps = await servers.dumps();
      const plugins = knownPlugins(dumps, options.plugins, log);
      const registry = createRegistry(plugins);
      const next = files.length > 0 ? loadDeclarative(files, plugins, { ...load, registry }) : store;
      await wait(options.workerStartMs ?? workerStartMs);
      if (closed) return;
      const changed = next !== store || !isDeepStrictEqual(plugins, known);
      known = plugins;
      servers.take(dumps);
      if (changed) store.replaceWith(next, registry);
      pids.renew();
      await servers.reload();
    },
    close,
  };
}

interface Bound {
  readonly address: ListenAddress;
  readonly listener: HttpListener;
}

async function listenAll(
  text: string,
  option: string,
  closers: (() => Promise<unknown>)[],
  listen: (address: ListenAddress) => Promise<HttpListener>,
): Promise<Bound[]> {
  const bound: Bound[] = [];
  for (const address of parseListen(text, option)) {
    const listener = await listen(address);
    closers.push(() => listener.close(closeGraceMs));
    bound.push({ address, listener });
  }
  return bound;
}

async function startAdminOf(
  options: SandboxOptions,
  store: MutableEntityStore,
  about: Pick<AdminApiOptions, 'known' | 'nodeId' | 'workerPids' | 'loading'>,
  certificates: Certificates,
  closers: (() => Promise<unknown>)[],
): Promise<AdminListener | null> {
  const addresses = parseListen(options.adminListen ?? '127.0.0.1:8001', '--admin-listen');
  if (addresses.length === 0) return null;
  const admin = await startAdmin(addresses, {
    store,
    ...about,
    allowHosts: options.allowHosts ?? [],
    certificate: () => certificates.fallbackOptions,
    eventHooksAdmin: options.eventHooksAdmin ?? null,
    workspaces: options.workspaces ?? store.snapshot().workspaces.length > 1,
    database: options.database ?? 'postgres',
    startsServers: (options.pluginServers ?? []).some(({ startCommand }) => startCommand !== undefined),
  });
  closers.push(() => admin.close());
  return admin;
}

function urlOf(bound: readonly Bound[], tls: boolean): string | null {
  const found = bound.find(({ address }) => address.tls === tls);
  if (found === undefined) return null;
  return `http${tls ? 's' : ''}://${urlHost(found.address.host)}:${String(found.listener.port)}`;
}

async function preparePrefix(
  given: string | undefined,
  closers: (() => Promise<unknown>)[],
): Promise<string> {
  if (given === undefined) {
    const directory = await mkdtemp(path.join(tmpdir(), 'kong-ts-sandbox-'));
    closers.push(() => rm(directory, { recursive: true, force: true }));
    return directory;
  }
  const directory = path.resolve(given);
  try {
    await mkdir(directory, { recursive: true });
  } catch (error) {
    throw new KongTsError(
      'FILE_UNREADABLE',
      `The prefix "${directory}" cannot be made: ${messageOf(error)}.`,
      {
        cause: error,
        fix: 'Choose another one with --prefix.',
      },
    );
  }
  return directory;
}

/** The plugins that may be used. @throws KongTsError PLUGIN_INVALID */
function knownPlugins(
  dumped: readonly KnownPlugin[],
  names: readonly string[] | undefined,
  log: SandboxLog,
): KnownPlugin[] {
  const all = [keyAuthPlugin, ...dumped];
  for (const name of unknown(all, names))
    log(
      'warn',
      `[sandbox] ${name} is in plugins, but neither here nor from a plugin server; Kong would not start without it`,
    );
  const known = enabled(all, names);
  refuseSchemas(known);
  return known;
}

/** As Kong at its start: one schema that it does not take, and nothing starts. @throws KongTsError PLUGIN_INVALID */
function refuseSchemas(known: readonly KnownPlugin[]): void {
  for (const plugin of known) {
    const refusals = plugin.name === keyAuthPlugin.name ? [] : pluginRefusals(plugin);
    if (refusals.length === 0) continue;
    throw new KongTsError(
      'PLUGIN_INVALID',
      `Kong would not start with the plugin "${plugin.name}": ${refusals.join('; ')}.`,
      { fix: 'Correct the schema in its dump.' },
    );
  }
}

function unknown(known: readonly KnownPlugin[], names: readonly string[] = []): string[] {
  const there = new Set(['bundled', 'off', ...known.map((plugin) => plugin.name)]);
  return names.filter((name) => !there.has(name));
}

/** The plugins that the list allows; `bundled` stands for key-auth. */
function enabled(known: readonly KnownPlugin[], names: readonly string[] | undefined): KnownPlugin[] {
  if (names === undefined) return [...known];
  const allowed = new Set(names.flatMap((name) => (name === 'bundled' ? [keyAuthPlugin.name] : [name])));
  return known.filter((plugin) => allowed.has(plugin.name));
}

/** A test for trusted_ips. @throws KongTsError USAGE */
function trustedTest(ranges: readonly string[]): (ip: string) => boolean {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', bits] = range.split('/');
    const family = isIP(address);
    const prefix = Number(bits ?? (family === 6 ? 128 : 32));
    if (family === 0 || !Number.isInteger(prefix) || prefix < 0 || prefix > (family === 6 ? 128 : 32))
      throw new KongTsError('USAGE', `"${range}" in trusted_ips is not an address or CIDR range.`);
    list.addSubnet(address, prefix, family === 6 ? 'ipv6' : 'ipv4');
  }
  return (ip) => isIP(ip) !== 0 && list.check(ip, isIP(ip) === 6 ? 'ipv6' : 'ipv4');
}

async function settle(pending: ReadonlySet<Promise<unknown>>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, closeGraceMs)));
  await Promise.race([Promise.allSettled([...pending]), late]);
  clearTimeout(timer);
}
