import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { KongTsError, messageOf } from '../../base/errors.ts';
import { teamConfiguration, teams } from './configuration.ts';
import { instructions } from './instructions.ts';
import { cliPath, startProcess } from './process.ts';
import type { DemoProcess } from './process.ts';
import { checkPort, startReceiver } from './receiver.ts';
import { waitForHttp } from './wait.ts';
import type { Addresses } from './instructions.ts';

export interface DemoOptions {
  readonly host: string;
  readonly ports: {
    readonly proxy: number;
    readonly admin: number;
    readonly eventHooks: number;
    readonly upstream: number;
  };
  /** Where logs, sockets and the dispatcher's data go; null for a temporary folder that the end removes. */
  readonly dataDir: string | null;
}

export interface Demo {
  /** What to try, for the terminal. */
  readonly instructions: string;
  /** Resolves with an error when one of the processes ends by itself. */
  readonly failed: Promise<KongTsError>;
  stop(): Promise<void>;
}

/**
 * Starts upstream, plugin server (with event hook dispatcher), sandbox gateway and a webhook.
 *
 * @throws KongTsError PORT_IN_USE naming the port and its option, FILE_UNREADABLE naming the folder,
 * PLUGIN_SERVER_UNREACHABLE with the last lines of a process that did not come up. Nothing is left running then.
 * @returns null when the signal ended the start
 */
export async function startDemo(options: DemoOptions, signal: AbortSignal): Promise<Demo | null> {
  const { host, ports } = options;
  await checkPort(host, ports.proxy, '--proxy-port');
  await checkPort(host, ports.admin, '--admin-port');
  await checkPort(host, ports.eventHooks, '--event-hooks-port');
  const folder = makeFolder(options.dataDir);
  const receiver = await startReceiver(host, ports.upstream).catch((error: unknown) => {
    if (options.dataDir === null) rmSync(folder, { recursive: true, force: true });
    throw error;
  });
  const processes: DemoProcess[] = [];
  const stop = async (): Promise<void> => {
    // The gateway first: requests in flight still find their plugin server.
    for (const one of [...processes].reverse()) await one.stop();
    await receiver.close();
    if (options.dataDir === null) rmSync(folder, { recursive: true, force: true });
  };
  try {
    const addresses = addressesOf(options);
    const start = async (name: string, args: readonly string[], ready: string): Promise<void> => {
      const started = startProcess(name, args, path.join(folder, `${name}.log`));
      processes.push(started);
      await waitForHttp(ready, started, signal);
    };
    const socket = path.join(folder, 'kong-ts.sock');
    await start(
      'serve',
      serveArguments(options, socket, folder),
      `${addresses.eventHooks}/event-hooks/sources`,
    );
    await start('sandbox', sandboxArguments(options, socket, folder), `${addresses.admin}/status`);
    signal.throwIfAborted();
    await createWebhook(addresses.admin, `${addresses.upstream}/webhook`);
    return {
      instructions: instructions({ ...addresses, folder }),
      failed: Promise.race(processes.map(failureOf)),
      stop,
    };
  } catch (error) {
    await stop();
    if (signal.aborted) return null;
    throw error;
  }
}

function makeFolder(dataDir: string | null): string {
  const wanted = dataDir === null ? path.join(tmpdir(), 'kong-ts-demo-') : path.resolve(dataDir);
  try {
    if (dataDir === null) return mkdtempSync(wanted);
    mkdirSync(wanted, { recursive: true, mode: 0o700 });
    return wanted;
  } catch (cause) {
    throw new KongTsError(
      'FILE_UNREADABLE',
      `The folder ${wanted} cannot be made: ${messageOf(cause).replace(/\.$/, '')}.`,
      {
        cause,
        fix: 'Choose another one with --data-dir FOLDER.',
      },
    );
  }
}

function addressesOf({ host, ports }: DemoOptions): Addresses {
  const http = (port: number): string => `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  return {
    proxy: http(ports.proxy),
    admin: http(ports.admin),
    eventHooks: http(ports.eventHooks),
    upstream: http(ports.upstream),
  };
}

function serveArguments({ host, ports }: DemoOptions, socket: string, folder: string): string[] {
  return [
    ...['serve', 'http-log-enterprise', '--socket', socket, '--workers', '1'],
    // The gateway ends together with the plugin server, and only it knows the instances.
    ...['--instances-file', 'off'],
    ...['--event-hooks', 'on', '--event-hooks-admin', `${host}:${ports.eventHooks}`],
    // The webhook's target is on this machine, which the dispatcher refuses otherwise.
    ...['--event-hooks-allow', 'loopback', '--data-dir', path.join(folder, 'data')],
  ];
}

function sandboxArguments(options: DemoOptions, socket: string, folder: string): string[] {
  const { host, ports } = options;
  const addresses = addressesOf(options);
  const dump = `'${process.execPath}' '${cliPath}' dump http-log-enterprise`;
  const files = teams.map((team) => {
    const file = path.join(folder, `team-${team}.yml`);
    writeFileSync(file, teamConfiguration(team, addresses.upstream));
    return file;
  });
  return [
    'sandbox',
    // Each team's file has a workspace of its own.
    ...['--deck', ...files.flatMap((file) => ['--config', file])],
    ...['--proxy-listen', `${host}:${ports.proxy}`, '--admin-listen', `${host}:${ports.admin}`],
    ...['--plugin-server', `http-log-enterprise=${socket},query=${dump}`],
    ...['--event-hooks-admin', addresses.eventHooks],
    // So that `curl -H 'X-Real-IP: 10.1.2.3'` can play another client.
    ...['--trusted-ips', '127.0.0.1'],
  ];
}

async function createWebhook(admin: string, url: string): Promise<void> {
  const response = await fetch(`${admin}/event-hooks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      source: 'http-log-enterprise',
      event: 'log',
      handler: 'webhook',
      config: { url },
    }),
  }).catch((cause: unknown) => {
    throw new KongTsError('HOOKS_UNAVAILABLE', `The webhook could not be created: ${messageOf(cause)}.`, {
      cause,
    });
  });
  if (response.ok) return;
  throw new KongTsError(
    'HOOKS_UNAVAILABLE',
    `The webhook could not be created: the Admin API answered ${response.status} ${await response.text()}.`,
  );
}

async function failureOf(one: DemoProcess): Promise<KongTsError> {
  const how = await one.ended;
  return new KongTsError('PLUGIN_SERVER_UNREACHABLE', `The process "${one.name}" ${how}.\n${one.tail(20)}`);
}
