import type { Phase, Protocol } from '../pdk/phases.ts';

/** The PDK as a handler of this phase and protocol sees it. */
export interface Kong<P extends Phase, R extends Protocol> {
  readonly phase?: P;
  readonly protocol?: R;
}
