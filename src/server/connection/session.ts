import type { Buffer } from 'node:buffer';
import type { Protocol } from '../../wire/index.ts';
import type { Runtime } from './runtime.ts';

/** What a session of either protocol needs of the connection that it speaks on. */
export interface SessionConnection {
  readonly runtime: Runtime;
  /** By which the host knows the connection; 0 when it does not. */
  readonly ticket: number;
  /** True once nothing is read from the socket any more. */
  readonly closing: boolean;
  readonly draining: boolean;
  /** True if another server relays what Kong has sent to it. */
  readonly relayed: boolean;
  /** From now on another server relays what Kong sends. */
  relays(): void;
  /** Writes bytes. @returns true when the system took them at once, so that they may be written over */
  write(bytes: Buffer): boolean;
  /**
   * Writes the answer to a command, with which a draining connection may end.
   * @param ends whether the connection ends in any case
   * @returns true when the bytes may be written over
   */
  answer(bytes: Buffer, protocol: Protocol, ends?: boolean): boolean;
  /** Ends the connection cleanly: everything written leaves, then a FIN. What still comes is read and dropped. */
  finish(last?: Buffer): void;
  /** A command has been answered: goes on with what has waited. */
  idle(): void;
}
