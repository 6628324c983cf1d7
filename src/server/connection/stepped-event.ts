import type { Buffer } from 'node:buffer';
import type { Phase } from '../../pdk/names/index.ts';

/** The waiter for the next word on an event: the connection that HandleEvent or Step came on, or another worker. */
export interface Responder {
  /**
   * @param method the function's name as MessagePack
   * @param args the arguments, or what they are as MessagePack
   * @throws KongTsError PDK_INVALID_ARGUMENT where an argument cannot be written; then nothing was said
   */
  respondCall(eventId: number, method: Buffer, args: Buffer | readonly unknown[]): void;
  respondDone(eventId: number): void;
}

/** An event that Kong runs by steps, as the worker keeps it. */
export interface SteppedEvent {
  readonly id: number;
  readonly phase: Phase;
  /** Whether only single headers are wanted of what Kong comes back with. */
  readonly looksUp: boolean;
  /**
   * Kong has the result of the call that it was asked for.
   * @param size of the result as Kong has sent it, in bytes
   */
  step(data: unknown, failed: boolean, responder: Responder, size: number): void;
  /** The connection that the next word was meant for is gone. */
  disconnected(responder: Responder): void;
  /** Ends it for whom it still runs. */
  abandon(why: string): void;
  /** Its time is over: one that has ended is forgotten. */
  expired(): void;
}
