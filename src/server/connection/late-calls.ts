import type { Phase } from '../../pdk/names/index.ts';
import { framesOf } from '../../terminal/index.ts';
import type { ServerLog } from '../log/types.ts';

/** How many places are remembered. Beyond them, no more warnings come. */
const mostPlaces = 1000;

/**
 * Warns of PDK calls that come after their event has ended, in most cases because an `await` is missing. It warns once
 * for each place in the code.
 */
export class LateCalls {
  readonly #log: Pick<ServerLog, 'warn'>;
  readonly #places = new Set<string>();

  constructor(log: Pick<ServerLog, 'warn'>) {
    this.#log = log;
  }

  /** @param refusal made where the call was made, so that its stack leads there */
  add(plugin: string, phase: Phase, refusal: Error): void {
    if (this.#places.size >= mostPlaces) return;
    const frames = framesOf(refusal.stack ?? '');
    const frame =
      frames.find(({ owner }) => owner === 'author') ?? frames.find(({ owner }) => owner === 'package');
    const place =
      frame === undefined ? refusal.message : `${frame.file}:${String(frame.line)}:${String(frame.column)}`;
    if (this.#places.has(place)) return;
    this.#places.add(place);
    this.#log.warn(`${plugin}, ${phase}: ${refusal.message}`, {
      plugin,
      phase,
      code: 'PDK_EVENT_ENDED',
      ...(frame === undefined ? {} : { stack: refusal.stack }),
    });
  }
}
