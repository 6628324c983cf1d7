import { KongTsError } from '../../base/errors.ts';
import { nearest } from '../../base/nearest.ts';

/** A Lua pattern with the text that Kong's Admin API answers when it does not hold. */
export interface LuaPatternCheck {
  pattern: string;
  err?: string;
}

/**
 * The words of Kong's schema that zod lacks, given with `.meta({...})` on any field. Kong checks these (on its Admin
 * API and in declarative configuration); zod does not see them. Names and meaning are those of Kong 3.9's schema
 * language.
 */
export interface KongMeta {
  /** 10 to 500 bytes: Kong refuses a plugin with a shorter or longer one, so shorter is left out and longer is cut. */
  description?: string | undefined;
  /** The value may be a vault reference (`{vault://env/my-secret}`); the plugin gets the secret itself. */
  referenceable?: boolean;
  /** Kong Enterprise encrypts the value in its database (keyring). */
  encrypted?: boolean;
  /** Lua patterns (not regular expressions). */
  match?: string;
  not_match?: string;
  match_all?: LuaPatternCheck[];
  match_none?: LuaPatternCheck[];
  match_any?: { patterns: string[]; err?: string };
  starts_with?: string;
  not_one_of?: (string | number)[];
  /** The string must be a regular expression that Kong's PCRE accepts. */
  is_regex?: boolean;
  uuid?: boolean;
  /** A number above zero. */
  timestamp?: boolean;
  /** An array or set must hold this value. */
  contains?: string | number;
  mutually_exclusive_subsets?: string[][];
  eq?: string | number | boolean | null;
  ne?: string | number | boolean | null;
  gt?: number;
  between?: [number, number];
  len_min?: number;
  len_max?: number;
  len_eq?: number;
  /** Kong's answer whenever one of the field's checks fails, in place of its own text. */
  err?: string;
  /** Warns users who still set the field. */
  deprecation?: { message: string; removal_in_version: string; old_default?: unknown };
  /** Checks over several fields of an object, such as `{ at_least_one_of: ['a', 'b'] }`. */
  entity_checks?: Record<string, unknown>[];
  /** On the whole configuration only: the protocols that the plugin may be configured for. */
  protocols?: readonly KongProtocol[];
  /** The whole field in Kong's language, in place of a translation, for zod types that have no counterpart. */
  kong?: { type: string; [attribute: string]: unknown };
}

export const kongProtocols = [
  'grpc',
  'grpcs',
  'http',
  'https',
  'tcp',
  'tls',
  'tls_passthrough',
  'udp',
] as const;

/** A protocol of routes and services in Kong 3.9. */
export type KongProtocol = (typeof kongProtocols)[number];

/** Attributes that travel from `.meta()` to the field unchanged. */
export const passedThrough = [
  'referenceable',
  'encrypted',
  'match',
  'not_match',
  'match_all',
  'match_none',
  'match_any',
  'starts_with',
  'not_one_of',
  'is_regex',
  'uuid',
  'timestamp',
  'contains',
  'mutually_exclusive_subsets',
  'eq',
  'ne',
  'gt',
  'between',
  'len_min',
  'len_max',
  'len_eq',
  'err',
  'deprecation',
  'entity_checks',
] as const satisfies readonly (keyof KongMeta)[];

/** The words that `.meta()` may hold beside Kong's: annotations of JSON Schema. */
const annotations = [
  'id',
  'title',
  'deprecated',
  'examples',
  'example',
  '$comment',
  'readOnly',
  'writeOnly',
] as const;

const known: readonly string[] = [...passedThrough, 'description', 'protocols', 'kong', ...annotations];

/**
 * @throws KongTsError PLUGIN_SCHEMA_UNSUPPORTED for a word that neither Kong nor JSON Schema has, because it would mean
 * nothing
 */
export function refuseUnknownMeta(meta: object, path: string): void {
  const unknown = Object.keys(meta).find((name) => !known.includes(name) && !name.startsWith('x-'));
  if (unknown === undefined) return;
  const meant = nearest(unknown, known);
  throw new KongTsError(
    'PLUGIN_SCHEMA_UNSUPPORTED',
    `${path}: .meta({ ${unknown} }) means nothing to Kong.`,
    {
      fix: meant === null ? `Known are ${known.join(', ')}.` : `Did you mean ${meant}?`,
    },
  );
}

declare module 'zod' {
  interface GlobalMeta extends KongMeta {}
}
