import type { Phase } from '../../pdk/names/index.ts';

/** What one phase of one plugin of a plugin server was, seen from Kong's end of the socket. */
export interface PhaseReport {
  readonly plugin: string;
  readonly phase: Phase;
  /** Milliseconds, with fractions. The start of an instance is a part of it. */
  readonly ms: number;
  /** Functions of the PDK that Kong was asked for. Several calls of the plugin may have come as one. */
  readonly calls: number;
  /** Messages on the socket, both ways together. */
  readonly frames: number;
  /** What Kong has logged as its failure, null for none. */
  readonly failure: string | null;
}

/** Counts what an event is made of. */
export interface EventMeter {
  calls: number;
  frames: number;
}
