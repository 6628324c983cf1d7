import type { InstanceFile } from './instance-file.ts';

/** How often a server shows that it listens, in milliseconds. */
const intervalMs = 500;

/**
 * Keeps the time of the instance file fresh while this server listens. From it, the next server can tell how long
 * nobody has listened. During that time Kong gave requests a 500 (ProtoBuf:1), or went on without the plugin
 * (MsgPack:1).
 */
export class Signs {
  /** How long nobody had listened when this server began to, in seconds; null when that is not known. */
  readonly gap: number | null;
  readonly #timer: NodeJS.Timeout;

  /** @param alone when this server began to listen on a path that nobody listened on; null when it took one over */
  constructor(file: InstanceFile | null, alone: number | null) {
    const last = file?.lastSign() ?? null;
    this.gap = alone === null ? 0 : last === null ? null : Math.max(0, alone - last) / 1000;
    file?.touch();
    this.#timer = setInterval(() => file?.touch(), intervalMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
