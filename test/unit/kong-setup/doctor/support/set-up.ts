import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createServer as createHttp } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { KongAdmin } from '../../../../../src/kong-admin/client.ts';
import { parseKongConf, parseEnvironment } from '../../../../../src/kong-setup/kong-conf.ts';
import { examine } from '../../../../../src/kong-setup/doctor/doctor.ts';
import type { Finding } from '../../../../../src/kong-setup/doctor/finding.ts';
import type { KongUser } from '../../../../../src/kong-setup/doctor/permissions.ts';
import { factsOf } from '../../../../../src/kong-setup/versions.ts';
import { fingerprintOf } from '../../../../../src/plugin/dump.ts';

type Dump = Parameters<typeof fingerprintOf>[0];
export type Protocol = 'ProtoBuf:1' | 'MsgPack:1';

/** What a fake Admin API answers: a status, and a body (text: as it is). */
export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  /** The `Server` header; null for none. */
  readonly server?: string | null;
}

/** A set-up of Kong with plugin servers on this machine, as a folder, servers and properties: nothing in it is wrong. */
export class SetUp {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-set-up-'));
  conf: Record<string, string> = { log_level: 'info', plugins: 'bundled' };
  environment: Record<string, string> = {};
  kong = '3.9';
  user: KongUser | null = null;
  /** Replaces what the Admin API answers to a path. */
  readonly answers = new Map<string, Answer>();
  /** A token that the Admin API asks for, and the one that doctor was given. */
  token: { readonly asked: string | null; readonly given: string | null } = { asked: null, given: null };
  version = '3.9.3';
  /** Plugins that the running Kong has loaded. */
  readonly loaded: string[] = [];
  #adminUrl: string | null = null;
  readonly #servers: Server[] = [];

  constructor() {
    // Others may pass: whoever runs the nginx workers.
    chmodSync(this.folder, 0o755);
    this.conf.prefix = this.folder;
  }

  at(name: string): string {
    return path.join(this.folder, name);
  }

  write(name: string, text: string, mode = 0o644): string {
    mkdirSync(path.dirname(this.at(name)), { recursive: true });
    writeFileSync(this.at(name), text);
    chmodSync(this.at(name), mode);
    return this.at(name);
  }

  /** A program in place of kong-ts: a shell script. `serve --check` ends well unless the text says otherwise. */
  program(text = 'exit 0', name = 'bin/kong-ts'): string {
    return this.write(name, `#!/bin/sh\n${text}\n`, 0o755);
  }

  dumpOf(name: string, { version = '1.0.0', protocol = 'ProtoBuf:1' } = {}): Dump {
    const schema = { name, fields: [{ config: { type: 'record' as const, fields: [] } }] };
    const plugin = { Name: name, Version: version, Priority: 1, Phases: ['access'], Schema: schema };
    return { Protocol: protocol, Plugins: [plugin] };
  }

  /** A plugin of a name in pluginserver_names: its dump in a file, its socket, and Kong has loaded it. */
  plugin(name: string, options: { socket?: string; protocol?: Protocol; start?: string } = {}): void {
    const { socket = this.at('k.socket'), protocol = 'ProtoBuf:1', start } = options;
    const file = this.write(`${name}.json`, JSON.stringify(this.dumpOf(name, { protocol })));
    const prefix = `pluginserver_${name.replaceAll('-', '_')}`;
    this.conf.pluginserver_names = [this.conf.pluginserver_names, name].filter(Boolean).join(',');
    this.conf.plugins = `${this.conf.plugins ?? 'bundled'},${name}`;
    this.conf[`${prefix}_socket`] = socket;
    this.conf[`${prefix}_query_cmd`] = `cat ${file}`;
    if (start !== undefined) this.conf[`${prefix}_start_cmd`] = start;
    this.loaded.push(name);
  }

  /** The start command of kong-ts for sockets of this set-up. */
  start(sockets: readonly string[] = [this.at('k.socket')], more = '', program = this.program()): string {
    const plugin = this.write('plugin.ts', '');
    return `${program} serve ${plugin} ${sockets.map((one) => `--socket ${one}`).join(' ')} ${more}`.trim();
  }

  /** A server on a socket, and what it says of itself on its control socket; null: it has none. */
  async serve(socket: string, served: readonly Dump[] | null, state: Record<string, unknown> = {}) {
    await this.#listen(
      createServer((connection) => connection.destroy()),
      socket,
    );
    chmodSync(socket, 0o666);
    if (served === null) return;
    const status = {
      state: 'running',
      workers: [{ state: 'ready' }],
      failures: [],
      plugins: served.map((one) => ({ name: one.Plugins[0]?.Name, fingerprint: fingerprintOf(one) })),
      ...state,
    };
    await this.#listen(
      createHttp((_, response) => response.end(JSON.stringify(status))),
      `${socket}.ctl`,
    );
  }

  /** The socket of a server that has ended without taking it away. */
  async leaveSocket(socket: string): Promise<void> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(`${socket}.x`, resolve));
    renameSync(`${socket}.x`, socket);
    await new Promise((resolve) => server.close(resolve));
  }

  /** The Admin API of a running Kong, as Kong 3.9.3 answers in the nginx worker that has started a plugin server. */
  async admin(prefix = ''): Promise<void> {
    const server = createHttp((request, response) => {
      request.resume();
      const { status, body = {}, server: name = `kong/${this.version}` } = this.#answer(request, prefix);
      if (name !== null) response.setHeader('server', name);
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#servers.push(server);
    this.#adminUrl = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}${prefix}`;
  }

  #answer(request: IncomingMessage, prefix: string): Answer {
    const asked = request.url ?? '/';
    if (!asked.startsWith(`${prefix}/`)) return { status: 404, body: { message: 'Not found' } };
    const url = asked.slice(prefix.length);
    if (this.token.asked !== null && request.headers['kong-admin-token'] !== this.token.asked)
      return { status: 401, body: { message: 'Invalid RBAC credentials' } };
    const given = this.answers.get(url) ?? this.answers.get('*');
    if (given !== undefined) return given;
    if (url === '/status') return { status: 200, body: { database: { reachable: true } } };
    if (url === '/plugins/enabled') return { status: 200, body: { enabled_plugins: this.loaded } };
    if (url === '/schemas/services') return { status: 200, body: { fields: [] } };
    const plugin = /^\/schemas\/plugins\/(.+)$/.exec(url)?.[1];
    if (plugin !== undefined && this.loaded.includes(plugin)) return { status: 200, body: { fields: [] } };
    if (url === '/') return { status: 500, body: { message: 'An unexpected error occurred' } };
    return { status: 404, body: { message: 'Not found' } };
  }

  /** An Admin API where nobody listens. */
  adminNowhere(): void {
    this.#adminUrl = 'http://127.0.0.1:1';
  }

  async examine(): Promise<Finding[]> {
    const text = Object.entries(this.conf).map(([key, value]) => `${key} = ${value}\n`);
    const token = this.token.given === null ? {} : { token: this.token.given };
    return examine({
      properties: new Map([...parseKongConf(text.join('')), ...parseEnvironment(this.environment)]),
      environment: this.environment,
      facts: factsOf(this.kong),
      admin: this.#adminUrl === null ? null : new KongAdmin({ url: this.#adminUrl, ...token }),
      user: this.user,
    });
  }

  async #listen(server: Server, socket: string): Promise<void> {
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    this.#servers.push(server);
  }

  async close(): Promise<void> {
    for (const server of this.#servers) await new Promise((resolve) => server.close(resolve));
    rmSync(this.folder, { recursive: true, force: true });
  }
}
