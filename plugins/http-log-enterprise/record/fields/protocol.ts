import type { RawText } from '../text.ts';

export type LogLevel = 'debug' | 'info' | 'notice' | 'warn' | 'error';

/** How `kong.log.set_serialize_value` sets a value. */
export type SetMode = 'set' | 'add' | 'replace';

/** The fields of one configuration. */
export interface OpenJob {
  readonly kind: 'open';
  readonly set: number;
  readonly fields: readonly (readonly [name: string, source: string])[];
}

/** One record whose fields are computed. */
export interface RunItem {
  readonly set: number;
  readonly raw: RawText;
  /** Which fields are computed, in this order. */
  readonly fields: readonly number[];
  /** The request's header authorization, which the record does not show; null when it is not known. */
  readonly authorization: RawText | null;
}

export interface RunJob {
  readonly kind: 'run';
  readonly items: readonly RunItem[];
}

export interface CloseJob {
  readonly kind: 'close';
  readonly set: number;
}

export type FieldsJob = OpenJob | RunJob | CloseJob;

export type FieldResult = { readonly field: number } & (
  | { readonly error: string; readonly isLimit: boolean }
  | {
      /** JSON as Kong writes it, null for nil. */
      readonly value: RawText | null;
      readonly mode: SetMode;
    }
);

export interface FieldsReply {
  /** Why the first bad field does not compile; null if all compile. */
  readonly problem: { readonly field: number; readonly message: string } | null;
  readonly results: readonly (readonly FieldResult[])[];
  readonly lines: readonly { readonly set: number; readonly level: LogLevel; readonly text: string }[];
}
