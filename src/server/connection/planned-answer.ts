import type { KongTsError } from '../../base/errors.ts';
import type { FunctionRow } from '../../pdk/index.ts';
import type { Asked } from './asked.ts';
import type { PlannedFrame } from './prefetch-plan.ts';
import type { Prefetch } from './prefetch.ts';

/** A frame of a plan that is on its way. */
export class PlannedAnswer implements Asked {
  readonly #prefetch: Prefetch;
  readonly #frame: PlannedFrame;

  constructor(prefetch: Prefetch, frame: PlannedFrame) {
    this.#prefetch = prefetch;
    this.#frame = frame;
  }

  get row(): FunctionRow {
    return this.#frame.row;
  }

  get waitsFor(): FunctionRow | null {
    return this.#prefetch.waitsFor(this.#frame);
  }

  get wanted(): boolean {
    return this.#prefetch.wants(this.#frame);
  }

  get looksUp(): boolean {
    return this.#frame.plural !== null;
  }

  resolve(value: unknown): void {
    this.#prefetch.arrived(this.#frame, value);
  }

  failed(error: unknown): void {
    this.#prefetch.unreadable(this.#frame, error);
  }

  reject(reason: KongTsError): void {
    this.#prefetch.reject(reason);
  }

  /** Kong has dropped the connection in place of this answer. */
  dropped(): void {
    this.#prefetch.dropped(this.#frame);
  }
}
