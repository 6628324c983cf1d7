import type { z } from 'zod';
import type { Violation } from './errors.ts';

/** A text that must not be shown, and its name ('' if it has none). */
export interface Hidden {
  readonly name: string;
  readonly value: string;
}

/** How one field of a configuration is kept secret. It is asked about values only, never about null. */
export interface Secrecy<Value = unknown> {
  /** What logs, records and pings may hold of the value. undefined: nothing, not even the field. */
  show(value: Value): unknown;
  /** What must not be shown if the target sends it back, besides all spellings of the whole value. */
  hide(value: Value, field: string): readonly Hidden[];
}

/** A machine that a hook sends to. */
export interface Address {
  /** The field that names it, such as `config.url` or `config.brokers.1`. */
  readonly path: string;
  /** A name or an address, without a port. */
  readonly host: string;
}

/** The model's part of a kind of handler. The names of its fields are those of `config`. */
export interface KindDescription<Name extends string = string, Schema extends z.ZodObject = z.ZodObject> {
  /** As hooks write it in `handler`. */
  readonly name: Name;
  /** What users write below `config`: a strict object. Form types, the Admin API and its document come from it. */
  readonly config: Schema;
  /**
   * How each field is kept secret. A field that is not named here is masked wherever a hook is shown, and looked for in
   * whatever the target sends back.
   */
  readonly secrets: {
    readonly [Field in keyof z.output<Schema>]?: Secrecy<NonNullable<z.output<Schema>[Field]>>;
  };
  /** Every machine that the hook names. The guard judges each when a hook is saved, and again with every connection. */
  addresses(config: z.output<Schema>): readonly Address[];
  /** What the schema cannot see, such as templates that do not parse. */
  check(config: z.output<Schema>): readonly Violation[] | Promise<readonly Violation[]>;
  /** Whether the target is pinged: when the hook is created, and when a user asks for it. */
  readonly pings: boolean;
}
