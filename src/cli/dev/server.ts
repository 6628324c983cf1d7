import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { KongTsError } from '../../base/errors.ts';
import { ownModule } from '../../base/package.ts';
import type { DumpDocument } from '../../plugin/index.ts';
import { askServer } from '../../server/admin/index.ts';
import type { ServerStatus } from '../../server/admin/index.ts';
import { readLines } from '../../server/index.ts';
import type { LogLevel } from '../../server/index.ts';
import type { LogRecord } from '../../terminal/index.ts';
import { printableLine, recordOf } from '../../terminal/index.ts';
import type { DevTerminal } from './terminal.ts';

export interface DevServerOptions {
  readonly plugins: readonly string[];
  /** Folder of the socket. */
  readonly folder: string;
  readonly dataDir: string;
  /** `host:port` of the Admin API of event hooks. */
  readonly hooksAdmin: string;
  readonly inspect: string | null;
  readonly logLevel: LogLevel;
  /** Octal; Kong in a container is another user. */
  readonly socketMode: string;
  /** The plugins have been loaded anew, or have failed to. */
  readonly reloaded: () => void;
  /** The process has ended by itself. */
  readonly ended: (why: string) => void;
}

const child = fileURLToPath(ownModule('../demo/child', import.meta.url));
/** Time for events in flight at the end, in seconds. */
const drainSeconds = 3;
const patienceMs = 30_000;

/** `kong-ts serve --watch` as a process of its own, its log on the terminal. It ends when this process does. */
export class DevServer {
  readonly socket: string;
  readonly #options: DevServerOptions;
  readonly #terminal: DevTerminal;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  #running = true;
  #stopping = false;
  #ready = false;
  /** When files had changed that plugins are loaded anew for, and which. */
  #changed: { at: number; files: string } | null = null;

  constructor(options: DevServerOptions, terminal: DevTerminal) {
    this.#options = options;
    this.#terminal = terminal;
    this.socket = path.join(options.folder, 'kong-ts.sock');
    const started = spawn(process.execPath, [child, ...this.#arguments()], {
      // Its input is never written to: its end tells the child that this process is gone.
      stdio: ['pipe', 'pipe', 'pipe'],
      // A Ctrl-C reaches the whole group of a terminal; here the gateway ends first.
      detached: true,
    });
    this.#child = started;
    started.stdin.on('error', () => undefined);
    readLines(started.stdout, (line) => this.#line(line));
    readLines(started.stderr, (line) => {
      if (!saysInspector(line)) terminal.raw(line);
    });
    this.#exited = new Promise((resolve) => {
      const end = (why: string): void => {
        this.#running = false;
        resolve();
        if (!this.#stopping) options.ended(why);
      };
      started.once('error', (error) => end(`could not be started: ${error.message}`));
      started.once('exit', (code, signal) => end(`ended with ${signal ?? `status ${String(code)}`}`));
    });
  }

  /** Resolves once every plugin is loaded, or has failed to be. */
  async loaded(): Promise<ServerStatus> {
    const deadline = Date.now() + patienceMs;
    while (this.#running && Date.now() < deadline) {
      const status = await this.status();
      if (status !== null && status.plugins.length + status.failures.length >= this.#options.plugins.length) {
        this.#ready = true;
        return status;
      }
      await sleep(25);
    }
    throw new KongTsError('PLUGIN_SERVER_UNREACHABLE', 'The plugin server did not come up.', {
      fix: 'What it has printed above says why.',
    });
  }

  /** Null while it does not answer. */
  async status(): Promise<ServerStatus | null> {
    return (await this.#ask('/status')) as ServerStatus | null;
  }

  /** What Kong would read of each plugin that is loaded now. */
  async documents(): Promise<readonly DumpDocument[]> {
    const answer = (await this.#ask('/dump')) as { plugins?: readonly DumpDocument[] } | null;
    return answer?.plugins ?? [];
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    if (!this.#running) return;
    this.#child.kill('SIGTERM');
    const late = setTimeout(() => this.kill(), (2 * drainSeconds + 4) * 1000);
    await this.#exited;
    clearTimeout(late);
  }

  kill(): void {
    this.#stopping = true;
    this.#child.kill('SIGKILL');
  }

  async #ask(what: string): Promise<unknown> {
    return askServer(`${this.socket}.ctl`, 'GET', what).catch(() => null);
  }

  #arguments(): string[] {
    const { plugins, dataDir, hooksAdmin, inspect, logLevel, socketMode } = this.#options;
    return [
      ...['serve', ...plugins, '--socket', this.socket, '--socket-mode', socketMode],
      ...['--watch', '--workers', '1', '--log-format', 'json', '--log-level', logLevel],
      // Its gateway ends with it: nobody knows its instances afterwards.
      ...['--instances-file', 'off', '--drain-timeout', String(drainSeconds)],
      ...['--event-hooks', 'on', '--event-hooks-admin', hooksAdmin, '--data-dir', dataDir],
      // Targets of a person who tries something are on this machine most often.
      ...['--event-hooks-allow', 'loopback', 'private'],
      ...(inspect === null ? [] : ['--inspect', inspect]),
    ];
  }

  #line(line: string): void {
    const record = recordOf(line);
    if (record === null) this.#terminal.raw(line);
    else if (!this.#isOwn(record)) this.#terminal.record(record);
  }

  /** Lines that are said in other words here, or that say nothing to whoever writes a plugin. */
  #isOwn({ message, level, fields }: LogRecord): boolean {
    switch (message) {
      case 'files have changed, reloading':
        this.#changed = { at: performance.now(), files: listOf(fields['files']) };
        return true;
      case 'plugins reloaded':
        this.#sayReloaded();
        this.#options.reloaded();
        return true;
      case 'a plugin does not load':
      case 'the new plugin code does not load, the old one goes on':
        this.#changed = null;
        return false;
      // The gateway of dev reads it by itself.
      case 'the schema, phases, priority or version of a plugin has changed: run "kong reload"':
        return true;
      case 'the event hook dispatcher listens':
      case 'this process delivers':
        return true;
      case 'a debugger can attach':
        this.#terminal.say(
          `${this.#terminal.paint.green('debugger')} ${printableLine(String(fields['url']))}`,
        );
        return true;
      default:
        return (
          (level === 'notice' || level === 'info') && (!this.#ready || this.#stopping) && !isOfPlugin(fields)
        );
    }
  }

  #sayReloaded(): void {
    const changed = this.#changed;
    this.#changed = null;
    if (changed === null) return;
    const ms = (performance.now() - changed.at).toFixed(0);
    this.#terminal.say(`${this.#terminal.paint.green('reloaded')} ${changed.files} in ${ms} ms`);
  }
}

/** What Node itself says about the debugger, beside our own line. */
const saysInspector = (line: string): boolean =>
  /^(?:Debugger listening on|For help, see: https:\/\/nodejs|Debugger ending on)/.test(line);

/** A plugin may print a line of a client that looks like one of the server's own. */
const listOf = (files: unknown): string =>
  Array.isArray(files) ? printableLine(files.map(String).join(', ')) : '';

const isOfPlugin = (fields: Readonly<Record<string, unknown>>): boolean => 'plugin' in fields;
