import { isDeepStrictEqual } from 'node:util';
import type { DumpDocument } from '../../plugin/index.ts';
import { startSandbox } from '../../sandbox/index.ts';
import type { Sandbox } from '../../sandbox/index.ts';
import { bracketed } from './ports.ts';
import { requestLine } from './request-line.ts';
import type { DevTerminal } from './terminal.ts';

/** The gateway in front of the plugin server: the sandbox, or a Kong in a container. */
export interface Gateway {
  /** Reads kong.yml, and what the plugins say about themselves. What is refused changes nothing. */
  apply(documents: readonly DumpDocument[]): Promise<Addresses>;
  close(): Promise<void>;
}

export interface Addresses {
  readonly proxy: string;
  readonly admin: string;
  /** A request that the configuration has a route for, as a command. */
  readonly attempt: string | null;
}

export interface GatewayOptions {
  readonly config: string;
  readonly host: string;
  readonly ports: { readonly proxy: number; readonly admin: number };
  readonly socket: string;
  /** `host:port`. */
  readonly hooksAdmin: string;
  /** Somebody may stop a plugin with a debugger and look at it. */
  readonly patient: boolean;
  readonly verbose: boolean;
}

/** setTimeout knows no more than this, in milliseconds. */
const foreverMs = 2_147_483_647;

/** The sandbox, in this process, with a line for each request. */
export class SandboxGateway implements Gateway {
  readonly #options: GatewayOptions;
  readonly #terminal: DevTerminal;
  #sandbox: Sandbox | null = null;
  #documents: readonly DumpDocument[] = [];
  #names: readonly string[] = [];

  constructor(options: GatewayOptions, terminal: DevTerminal) {
    this.#options = options;
    this.#terminal = terminal;
  }

  async apply(documents: readonly DumpDocument[]): Promise<Addresses> {
    const names = namesOf(documents);
    const before = this.#documents;
    this.#documents = documents;
    // The sandbox asks each of its plugin servers again, and gets no others while it runs.
    if (!isDeepStrictEqual(names, this.#names)) await this.close();
    this.#names = names;
    if (this.#sandbox === null) this.#sandbox = await this.#start(documents);
    else
      await this.#sandbox.reload().catch((error: unknown) => {
        this.#documents = before;
        throw error;
      });
    const { proxyUrl, adminUrl, store } = this.#sandbox;
    const proxy = proxyUrl ?? '';
    return { proxy, admin: adminUrl ?? '', attempt: attemptOf(proxy, store.snapshot().routes) };
  }

  async close(): Promise<void> {
    const sandbox = this.#sandbox;
    this.#sandbox = null;
    this.#names = [];
    await sandbox?.close();
  }

  #start(documents: readonly DumpDocument[]): Promise<Sandbox> {
    const { config, host, ports, socket, hooksAdmin, patient, verbose } = this.#options;
    const shown = bracketed(host);
    const quiet = new Set(verbose ? [] : ['info', 'debug']);
    return startSandbox({
      config: [config],
      proxyListen: `${shown}:${String(ports.proxy)}`,
      adminListen: `${shown}:${String(ports.admin)}`,
      // The file is the configuration: what the Admin API changed would be gone with its next change.
      database: 'off',
      pluginServers: namesOf(documents).map((name) => ({
        name,
        socket,
        dump: () => this.#documents.find(({ Plugins }) => Plugins[0]?.Name === name) ?? {},
      })),
      eventHooksAdmin: `http://${hooksAdmin}`,
      workerStartMs: 0,
      ...(patient ? { pluginServerTimeout: foreverMs } : {}),
      log: (level, message) => {
        const ofPlugin = message.startsWith('[kong] ');
        if (quiet.has(level) && !ofPlugin) return;
        this.#terminal.record({ level, time: new Date(), message, fields: {} });
      },
      onRequest: (report) => {
        const line = requestLine(report, new Date(), this.#terminal.paint);
        // What the plugin has logged comes from another process: it is to stand above.
        setTimeout(() => this.#terminal.say(line), behindLogMs).unref();
      },
    });
  }
}

const behindLogMs = 30;

const namesOf = (documents: readonly DumpDocument[]): string[] =>
  documents.flatMap(({ Plugins }) => Plugins.map(({ Name }) => Name)).toSorted();

interface RouteLike {
  readonly paths: readonly string[] | null;
  readonly methods: readonly string[] | null;
  readonly hosts: readonly string[] | null;
}

/** A curl command for the first route that a plain request can match. */
export function attemptOf(proxy: string, routes: readonly RouteLike[]): string | null {
  for (const { paths, methods, hosts } of routes) {
    const path = paths === null || paths.length === 0 ? '/' : paths.find((each) => !each.startsWith('~'));
    const host = hosts?.find((each) => !each.includes('*'));
    if (path === undefined || (hosts !== null && hosts.length > 0 && host === undefined)) continue;
    const method = methods?.[0] ?? 'GET';
    return [
      'curl -i',
      ...(method === 'GET' ? [] : [`-X ${method}`]),
      ...(host === undefined ? [] : [`-H 'Host: ${host}'`]),
      `'${proxy}${path}'`,
    ].join(' ');
  }
  return null;
}
