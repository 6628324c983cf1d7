import path from 'node:path';
import { messageOf } from '../../base/errors.ts';
import type { FunctionRow } from '../../pdk/index.ts';
import type { Phase, Protocol } from '../../pdk/names/index.ts';
import type { CompiledPlugin } from '../../plugin/index.ts';
import { createCallbackLog } from '../../server/index.ts';
import type { CallRecorder } from '../kong/calls.ts';
import { KongSide } from '../kong/kong-side.ts';
import { LogLines } from '../kong/log-lines.ts';
import type { Observer } from '../kong/observer.ts';
import { TrafficCounter } from '../kong/traffic.ts';
import { WireTap } from '../kong/wire-tap.ts';
import type { Answer } from '../overrides.ts';
import type { HandlerError, LogView } from '../results.ts';
import { overrideComposed } from './composed-overrides.ts';
import { setEnvironment } from './environment.ts';
import type { WantedEvents } from './event-capture.ts';
import { EventCapture } from './event-capture.ts';
import { PluginSocket } from './plugin-socket.ts';
import { TestHost } from './test-host.ts';
import { HandlerWatch, watchedPlugin } from './watched-plugin.ts';

/** How long configurations get to close, in milliseconds. */
const closeLimitMs = 5000;

export interface RigOptions {
  readonly protocol: Protocol;
  /** A temporary folder of the test's own. */
  readonly folder: string;
  readonly phaseTimeout?: number;
  readonly merge?: boolean;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly dataDir?: string;
  readonly eventHooks?: WantedEvents;
}

/** Everything around a plugin under test: the server's side, Kong's side, and what watches them. */
export class TestRig {
  readonly lines = new LogLines();
  readonly tap = new WireTap(null);
  readonly plugin: CompiledPlugin;
  readonly host: TestHost;
  readonly side: KongSide;
  /** Overrides that are answered on the plugin's side; set for each request. */
  composed: ReadonlyMap<FunctionRow, Answer> = new Map();
  readonly #watch = new HandlerWatch();
  readonly #counter = new TrafficCounter();
  readonly #capture: EventCapture;
  readonly #restoreEnvironment: () => void;
  #socket: PluginSocket | null = null;
  #recorder: CallRecorder | null = null;

  private constructor(plugin: CompiledPlugin, options: RigOptions) {
    const { protocol, phaseTimeout } = options;
    const changes = { protocol, ...(phaseTimeout === undefined ? {} : { phaseTimeout }) };
    this.plugin = watchedPlugin(plugin, changes, this.#watch);
    this.host = new TestHost({
      plugin: this.plugin,
      log: this.#log('server'),
      pluginLog: this.#log('plugin'),
      dataDir: options.dataDir ?? null,
      merge: options.merge ?? false,
      bodyFolder: path.join(options.folder, 'client_body_temp'),
      adapt: (kong, channel) => overrideComposed(kong, channel, this.composed, () => this.#recorder),
    });
    this.side = new KongSide({
      socket: path.join(options.folder, 's'),
      protocol,
      timeoutMs: 60_000,
      maxMessageBytes: this.host.maxFrameBytes,
      log: this.lines.kong,
      tap: this.tap,
    });
    this.#restoreEnvironment = setEnvironment(options.env ?? {});
    this.#capture = new EventCapture(options.eventHooks ?? 'all');
  }

  static async open(plugin: CompiledPlugin, options: RigOptions): Promise<TestRig> {
    const rig = new TestRig(plugin, options);
    rig.#socket = await PluginSocket.open(rig.side.socket, rig.host, rig.#counter);
    return rig;
  }

  async close(): Promise<void> {
    this.side.close();
    await this.#socket?.close();
    await this.host.close(closeLimitMs);
    this.#capture.close();
    this.#restoreEnvironment();
  }

  /** Watches the phases of this plugin's requests. */
  get observer(): Observer {
    return {
      kongLog: this.lines.kong,
      begin: (phase, recorder) => {
        const { length } = this.lines;
        this.#recorder = recorder;
        this.#watch.start();
        this.#counter.start();
        return {
          end: async () => {
            await this.#watch.settled();
            const { traffic } = this.#counter;
            const events = await this.#capture.take();
            const logs = this.lines.since(length);
            return { error: this.#handlerError(phase, logs), logs, events, ...traffic };
          },
        };
      },
    };
  }

  /** What the server's log says about a handler that failed. */
  #handlerError(phase: Phase, logs: readonly LogView[]): HandlerError | null {
    const line = logs.find(
      ({ from, level, fields }) => from === 'server' && level === 'error' && fields['phase'] === phase,
    );
    if (line === undefined) return null;
    const { stack, code } = line.fields;
    const thrown = code === 'PHASE_TIMEOUT' ? null : this.#watch.thrown;
    return {
      phase,
      message:
        thrown === null ? line.message.replace(/^.*?the handler failed: /, '') : messageOf(thrown.value),
      stack: typeof stack === 'string' ? stack : null,
      code: typeof code === 'string' ? code : null,
      thrown: thrown?.value,
    };
  }

  #log(from: LogView['from']) {
    return createCallbackLog('debug', (level, fields, message) => {
      this.lines.add(level, message, from, fields);
    });
  }
}
