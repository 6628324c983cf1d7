/**
 * Kong's schema language as plain data: what a plugin server's dump carries and what `GET /schemas/...` shows. The
 * entities of the sandbox use the same language. Parts that need code (custom validators, shorthand functions) are
 * functions here. They are left out when a schema is shown, as Kong does.
 */

/** Plain object as it comes out of JSON. Absent is `undefined` (Lua's nil), `null` is an explicit null. */
export type PlainObject = Record<string, unknown>;

/** Answers an error text, or undefined when the value is fine. */
export type CustomValidator = (value: never) => string | undefined;

export interface FieldSchema {
  type: string;
  required?: boolean;
  default?: unknown;
  /** Value has this error text instead of the validator's own. */
  err?: string;
  fields?: readonly NamedField[];
  elements?: FieldSchema;
  keys?: FieldSchema;
  values?: FieldSchema;
  /** Name of the entity a `foreign` field points to. */
  reference?: string;
  /** Filled in by the gateway: id, created_at, updated_at, generated keys. */
  auto?: boolean;
  uuid?: boolean;
  unique?: boolean;
  unique_across_ws?: boolean;
  abstract?: boolean;
  nilable?: boolean;
  transient?: boolean;
  immutable?: boolean;
  referenceable?: boolean;
  len_min?: number;
  on_delete?: string;
  custom_validator?: CustomValidator;
  entity_checks?: readonly EntityCheck[];
  shorthand_fields?: readonly NamedField[];
  deprecation?: unknown;
  /** Shorthand fields: the fields that the value stands for. */
  func?: (value: unknown) => PlainObject | undefined;
  [attribute: string]: unknown;
}

/** One field: an object with one key, the field's name. */
export type NamedField = Readonly<Record<string, FieldSchema>>;

/** One cross-field check: an object with one key, the check's name. */
export type EntityCheck = Readonly<Record<string, unknown>>;

export interface SchemaDefinition {
  name?: string;
  fields: readonly NamedField[];
  entity_checks?: readonly EntityCheck[];
  shorthand_fields?: readonly NamedField[];
  /** Entities of this kind may carry a time to live. */
  ttl?: boolean;
  /** The field whose value picks the subschema (`name` of plugins, `protocols` of routes). */
  subschema_key?: string;
  /** Error text for a value without subschema; `%s` is the value. */
  subschema_error?: string;
  subschemas?: Readonly<Record<string, SchemaDefinition>>;
}

/** Errors by field name, nested as the fields are; `@entity` holds the texts of cross-field checks. */
export interface FieldErrors {
  [field: string]: FieldError;
}

/** One field's error: a text, errors of its fields, or errors by position (holes are null). */
export type FieldError = string | FieldErrors | (FieldError | null)[];

/**
 * - `insert`: fills defaults and automatic fields.
 * - `update`: takes a part of an entity, fills nothing but `updated_at`.
 * - `upsert`: as insert.
 * - `select`: what a stored entity looks like when it is read.
 */
export type Context = 'insert' | 'update' | 'upsert' | 'select';
