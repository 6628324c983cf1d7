import type { Buffer } from 'node:buffer';
import type { SteadyClock } from '../../src/base/clock.ts';
import type { ConnectionHost, RunningInstance } from '../../src/server/connection/host.ts';
import type { RegistryOptions } from '../../src/server/instances/index.ts';
import { createPluginStats } from '../../src/server/metrics/phase-stats.ts';
import type { ServerLog } from '../../src/server/log/types.ts';
import type { CompiledPlugin, PhaseHandler } from '../../src/plugin/types.ts';
import type { Phase } from '../../src/pdk/names/phases.ts';
import { phases } from '../../src/pdk/names/phases.ts';

/** A clock that moves only when it is told to. */
export class ManualClock implements SteadyClock {
  #now = 0;
  readonly #timers = new Set<{ every: number; next: number; tick: () => void }>();

  now(): number {
    return this.#now;
  }

  every(milliseconds: number, tick: () => void): () => void {
    const timer = { every: milliseconds, next: this.#now + milliseconds, tick };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  get timers(): number {
    return this.#timers.size;
  }

  advance(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      const due = [...this.#timers].filter((timer) => timer.next <= end).sort((a, b) => a.next - b.next)[0];
      if (due === undefined) break;
      this.#now = due.next;
      due.next += due.every;
      due.tick();
    }
    this.#now = end;
  }
}

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: Record<string, unknown>;
}

/** A log that keeps its lines. */
export function memoryLog(lines: LogLine[]): ServerLog {
  const at =
    (level: string) =>
    (message: string, fields: Record<string, unknown> = {}) =>
      void lines.push({ level, message, fields });
  return {
    debug: at('debug'),
    info: at('info'),
    notice: at('notice'),
    warn: at('warn'),
    error: at('error'),
    crit: at('crit'),
    alert: at('alert'),
    emerg: at('emerg'),
    child: () => memoryLog(lines),
    enabled: () => true,
  };
}

export type PhaseHandlers = Partial<Record<Phase, PhaseHandler>>;

export function testPlugin(overrides: Partial<CompiledPlugin> = {}): CompiledPlugin {
  return {
    name: 'test',
    version: '1.0.0',
    priority: 1,
    protocol: 'protobuf',
    phases,
    schema: { name: 'test', fields: [] },
    onError: 'fail',
    phaseTimeout: 30_000,
    parseConfig: (raw) => raw,
    setup: () => Promise.resolve({ phases: {}, close: null }),
    ...overrides,
  };
}

export function testInstance(
  id: number,
  handlers: PhaseHandlers,
  overrides: Partial<CompiledPlugin> = {},
): RunningInstance {
  return {
    id,
    plugin: testPlugin(overrides),
    handlers: { phases: handlers, close: null },
    config: {},
    stats: createPluginStats(),
    // Of the Kong of the recordings: nothing has to be asked for it.
    facts: { subsystem: 'http', readsBodyFiles: true },
    usage: { events: 0, whenIdle: null, used: false },
  };
}

export interface TestHost extends ConnectionHost {
  readonly lines: LogLine[];
  readonly clock: ManualClock;
  readonly instances: Map<number, RunningInstance>;
}

/** A host whose instances are those of the map; the PDK that handlers get is the channel itself. */
export function testHost(overrides: Partial<ConnectionHost> = {}): TestHost {
  const lines: LogLine[] = [];
  const instances = new Map<number, RunningInstance>();
  const refuse = (name: string, _config: Buffer) => Promise.reject(new Error(`no plugin ${name}`));
  return {
    maxFrameBytes: 64 * 1024 * 1024,
    workerIndex: 0,
    bodyFiles: null,
    log: memoryLog(lines),
    createKong: (channel) => channel,
    startInstance: refuse,
    closeInstance: () => Promise.resolve(null),
    findInstance: (id) => instances.get(id) ?? null,
    instanceStatus: () => null,
    pluginNames: () => ['test'],
    pluginInfo: () => null,
    ...overrides,
    clock: new ManualClock(),
    lines,
    instances,
  };
}

/** What a plugin's setup is handed besides its configuration: counters that count nothing, and no folder. */
export function testSurroundings(log: ServerLog): ReturnType<RegistryOptions['surroundings']> {
  return {
    log,
    metrics: {
      counter: () => ({ add: () => undefined }),
      gauge: () => ({ set: () => undefined }),
      histogram: () => ({ observe: () => undefined }),
    },
    dataDir: null,
    worker: { index: 0, count: 1 },
  };
}
