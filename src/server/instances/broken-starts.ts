import type { Buffer } from 'node:buffer';
import { DoublingPause } from '../../base/doubling-pause.ts';
import { messageOf } from '../../base/errors.ts';
import type { CompiledPlugin } from '../../plugin/index.ts';
import { decodeText } from '../../base/text.ts';
import { brokenInstance } from '../connection/broken-instance.ts';
import type { RunningInstance, StartedInstance } from '../connection/host.ts';
import type { PluginStats } from '../metrics/phase-stats.ts';

/** How long a broken start rests after its first failure, in milliseconds. Every further failure doubles it. */
const firstPauseMs = 1000;
const longestPauseMs = 60_000;
/** How many broken instances are kept. The oldest go first. Kong's next use of one that went tries it again. */
const mostStarts = 1000;
/** How much their configurations may take together, in bytes. A peer chooses the length of each. */
const mostBytes = 64 * 1024 * 1024;

/** An instance that Kong was given although it cannot run: its events fail with the reason. */
export class BrokenStart {
  readonly name: string;
  readonly config: Buffer;
  readonly described: StartedInstance;
  /** Under way at the moment, for everybody who asks. */
  retrying: Promise<RunningInstance> | null = null;
  #instance: RunningInstance;
  readonly #pause = new DoublingPause(firstPauseMs, longestPauseMs);
  #retryAt: number;

  /** @param now milliseconds of the registry's clock */
  constructor(
    described: StartedInstance,
    config: Buffer,
    now: number,
    reason: unknown,
    plugin: CompiledPlugin | null,
    stats: PluginStats | null,
  ) {
    this.name = described.name;
    this.described = described;
    this.config = config;
    this.#retryAt = now + this.#pause.next();
    this.#instance = instanceOf(described.id, reason, plugin, stats);
  }

  get instance(): RunningInstance {
    return this.#instance;
  }

  /** Whether it is time to try again. */
  isDue(now: number): boolean {
    return now >= this.#retryAt;
  }

  failedAgain(now: number, reason: unknown): void {
    this.#retryAt = now + this.#pause.next();
    const { plugin, stats } = this.#instance;
    this.#instance = brokenInstance(this.described.id, reason, plugin, stats);
  }
}

function instanceOf(
  id: number,
  reason: unknown,
  plugin: CompiledPlugin | null,
  stats: PluginStats | null,
): RunningInstance {
  return plugin === null || stats === null
    ? brokenInstance(id, reason)
    : brokenInstance(id, reason, plugin, stats);
}

/** The broken instances of a worker by id, the latest of them. */
export class BrokenStarts {
  readonly #starts = new Map<number, BrokenStart>();
  #bytes = 0;

  get(id: number): BrokenStart | undefined {
    return this.#starts.get(id);
  }

  add(start: BrokenStart): void {
    const { id } = start.described;
    this.delete(id);
    this.#starts.set(id, start);
    this.#bytes += start.config.length;
    for (const oldest of this.#starts.keys()) {
      if (this.#starts.size <= mostStarts && (this.#bytes <= mostBytes || oldest === id)) break;
      this.delete(oldest);
    }
  }

  delete(id: number): boolean {
    this.#bytes -= this.#starts.get(id)?.config.length ?? 0;
    return this.#starts.delete(id);
  }

  clear(): void {
    this.#starts.clear();
    this.#bytes = 0;
  }
}

/** What is told to Kong about an instance whose plugin has not read its configuration: MsgPack:1 hands it back. */
export function describeUnread(id: number, name: string, config: Buffer, startedAt: number): StartedInstance {
  let raw: unknown = null;
  try {
    raw = JSON.parse(decodeText(config));
  } catch {
    // The instance's events say that it is not JSON.
  }
  return { id, name, config: raw, startedAt };
}

/** The line in the log about an instance that cannot run. */
export function brokenLine(name: string, reason: unknown): string {
  return `An instance of ${name} cannot run: ${messageOf(reason)} Its requests are answered with 500, its log events do nothing; it is tried again when it is used.`;
}
