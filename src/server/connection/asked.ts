import type { KongTsError } from '../../base/errors.ts';
import type { FunctionRow } from '../../pdk/index.ts';

/** Something that Kong has been asked and has yet to answer. */
export interface Asked {
  /** The function that Kong runs. */
  readonly row: FunctionRow;
  /** The function that the plugin waits for, null where nobody waits. */
  readonly waitsFor: FunctionRow | null;
  /** False where the answer need not be read. */
  readonly wanted: boolean;
  /** Whether only single headers are wanted of an answer with all of them. */
  readonly looksUp: boolean;
  /** The answer has come. */
  resolve(value: unknown): void;
  /** The answer cannot be read, or Kong has none. */
  failed(error: unknown): void;
  /** No answer is going to matter: the event is over. */
  reject(reason: KongTsError): void;
}
