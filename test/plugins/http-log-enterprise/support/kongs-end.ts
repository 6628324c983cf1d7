import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { cliPath } from '../../../../src/cli/demo/process.ts';
import type { Sandbox } from '../../../../src/sandbox/index.ts';
import { startSandbox } from '../../../../src/sandbox/index.ts';
import { freePort } from '../../../support/free-port.ts';
import { until } from '../../../support/until.ts';

const tap = fileURLToPath(new URL('./tap/index.ts', import.meta.url));

/** `kong-ts serve` with http-log-enterprise and the tap, and gateways in front of it. */
export class KongsEnd {
  readonly folder = mkdtempSync(join(tmpdir(), 'http-log-kongs-end-'));
  readonly #gateways: Sandbox[] = [];
  #server: ChildProcess | null = null;
  #hooks = '';
  #metrics = '';
  #files = 0;

  async start(): Promise<void> {
    const [hooks, metrics] = await Promise.all([freePort(), freePort()]);
    this.#hooks = `http://127.0.0.1:${hooks}/event-hooks`;
    this.#metrics = `http://127.0.0.1:${metrics}/metrics`;
    const args = [
      'serve',
      'http-log-enterprise',
      tap,
      '--socket',
      join(this.folder, 'socket'),
      '--workers',
      '1',
    ];
    args.push('--data-dir', join(this.folder, 'data'), '--metrics', `127.0.0.1:${metrics}`);
    args.push(
      '--event-hooks',
      'on',
      '--event-hooks-admin',
      `127.0.0.1:${hooks}`,
      '--event-hooks-allow',
      'loopback',
    );
    this.#server = spawn(process.execPath, [cliPath, ...args], { stdio: 'ignore' });
    const isUp = (url: string) => () =>
      fetch(url).then(
        ({ ok }) => (ok ? true : null),
        () => null,
      );
    await until('the event hooks', isUp(`${this.#hooks}/sources`));
    await until('the metrics', isUp(this.#metrics));
  }

  /** Calls a webhook for every request that is logged. */
  async hook(url: string): Promise<void> {
    const body = { source: 'http-log-enterprise', event: 'log', handler: 'webhook', config: { url } };
    const { status } = await fetch(this.#hooks, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (status !== 201) throw new Error(`the event hook was answered with ${status}`);
  }

  /** Loads the plugins of the server again, while it serves. */
  reloadServer(): void {
    this.#server?.kill('SIGHUP');
  }

  /** A gateway that takes what Kong itself would take, and no more. */
  async gateway(workers: number, configuration: object): Promise<Sandbox> {
    const file = join(this.folder, `${this.#files++}.yml`);
    writeFileSync(file, stringify({ _format_version: '3.0', ...configuration }));
    const server = (name: string, plugin: string) => ({
      name,
      socket: join(this.folder, 'socket'),
      queryCommand: `'${process.execPath}' '${cliPath}' dump '${plugin}'`,
    });
    const gateway = await startSandbox({
      config: [file],
      workers,
      proxyListen: '127.0.0.1:0, 127.0.0.1:0 ssl',
      streamListen: '127.0.0.1:0, 127.0.0.1:0 ssl',
      strict: true,
      adminListen: 'off',
      prefix: join(this.folder, `prefix-${this.#files++}`),
      logLevel: 'crit',
      pluginServers: [server('http-log-enterprise', 'http-log-enterprise'), server('tap', tap)],
    });
    this.#gateways.push(gateway);
    return gateway;
  }

  /** The values of a metric, one per configuration. */
  async numbers(name: string): Promise<number[]> {
    const text = await (await fetch(this.#metrics)).text();
    const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`));
    return lines.map((line) => Number(line.slice(line.lastIndexOf(' '))));
  }

  async close(): Promise<void> {
    for (const gateway of this.#gateways.splice(0)) await gateway.close();
    if (this.#server !== null && this.#server.exitCode === null && this.#server.signalCode === null) {
      const gone = once(this.#server, 'exit');
      this.#server.kill('SIGTERM');
      await gone;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/**
 * Sends bytes on a connection of its own, in TLS to an https URL. Resolves with the first line of the answer.
 *
 * @param enough ends the connection once so many bytes have come; otherwise the other side ends it
 */
export function exchange(url: string, bytes: string, enough = Infinity): Promise<string> {
  const { hostname, port, protocol } = new URL(url);
  return new Promise((resolve, reject) => {
    let answer = '';
    const write = (): void => void peer.write(bytes, 'latin1');
    const at = { host: hostname, port: Number(port) };
    const peer =
      protocol === 'https:'
        ? connectTls({ ...at, rejectUnauthorized: false, servername: 'h.test' }, write)
        : connect(at, write);
    peer.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
      if (answer.length >= enough) peer.end();
    });
    peer.on('close', () => resolve(answer.split('\r\n')[0] ?? ''));
    peer.on('error', reject);
  });
}
