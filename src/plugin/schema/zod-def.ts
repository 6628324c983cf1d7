import type { KongMeta } from './meta.ts';

/**
 * The part of a zod 4 schema that the translation reads. It goes by structure and not by class, so that this room
 * loads no zod of its own (a dump has to be quick) and a plugin may bring another copy or version of zod 4.
 */
export interface ZodNode {
  readonly _zod: {
    readonly def: ZodDef;
    readonly values?: ReadonlySet<unknown>;
    /** Whether an object may lack the key: undefined where it may not. */
    readonly optin?: 'optional' | 'defaulted' | undefined;
    /** `optional`: what comes out may be undefined. */
    readonly optout?: 'optional' | undefined;
  };
  meta?(): Record<string, unknown> | undefined;
  safeParse?(value: unknown): ZodResult;
}

export interface ZodDef {
  readonly type: string;
  readonly checks?: readonly { readonly _zod: { readonly def: ZodCheck } }[];
  /** Set where the schema itself is a check, as in z.int() and z.email(). */
  readonly check?: string;
  readonly format?: string;
  readonly coerce?: boolean;
  readonly shape?: Readonly<Record<string, ZodNode>>;
  readonly catchall?: ZodNode;
  readonly element?: ZodNode;
  readonly keyType?: ZodNode;
  /** Of a record over an enumeration: whether keys may be absent. */
  readonly partial?: boolean;
  /** `loose` for z.looseRecord(). */
  readonly mode?: string;
  readonly valueType?: ZodNode;
  readonly innerType?: ZodNode;
  readonly options?: readonly ZodNode[];
  readonly left?: ZodNode;
  readonly right?: ZodNode;
  readonly in?: ZodNode;
  readonly out?: ZodNode;
  readonly items?: readonly ZodNode[];
  readonly rest?: ZodNode | null;
  readonly entries?: Readonly<Record<string, string | number>>;
  readonly values?: readonly unknown[];
  readonly defaultValue?: unknown;
  readonly catchValue?: unknown;
  readonly getter?: () => ZodNode;
}

export interface ZodCheck {
  readonly check: string;
  readonly format?: string;
  readonly value?: number;
  readonly inclusive?: boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly length?: number;
  readonly size?: number;
  readonly pattern?: RegExp;
  readonly prefix?: string;
  readonly suffix?: string;
  readonly includes?: string;
  readonly position?: number;
}

export type ZodResult =
  | { readonly success: true; readonly data: unknown }
  | { readonly success: false; readonly error: { readonly issues: readonly ZodIssue[] } };

export interface ZodIssue {
  readonly code?: string;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly keys?: readonly string[];
  readonly errors?: readonly (readonly ZodIssue[])[];
}

export function isZod(value: unknown): value is ZodNode {
  if (typeof value !== 'object' || value === null || !('_zod' in value)) return false;
  const internals = value._zod;
  return typeof internals === 'object' && internals !== null && 'def' in internals;
}

/** The schema's own checks, with a format that the schema itself is (z.int(), z.email()) as the first. */
export function checksOf(def: ZodDef): readonly ZodCheck[] {
  const added = (def.checks ?? []).map((check) => check._zod.def);
  return def.check === undefined ? added : [def as unknown as ZodCheck, ...added];
}

export function metaOf(node: ZodNode): KongMeta {
  return typeof node.meta === 'function' ? (node.meta() ?? {}) : {};
}

/** A schema without its wrappers, and the settings of the wrappers. */
export interface Unwrapped {
  readonly node: ZodNode;
  readonly optional: boolean;
  readonly nullable: boolean;
  /** Whether a refused or absent value is replaced. */
  readonly caught: boolean;
  /** Present when absent input gives this value. */
  readonly default?: { readonly value: unknown };
  /** Collected from the inside out, so an outer wrapper wins. */
  readonly meta: KongMeta;
}

/** Takes optional, nullable, default, readonly, catch, lazy, pipe (its input) and unions with null apart. */
export function unwrap(start: ZodNode): Unwrapped {
  let node = start;
  // The outermost of optional and nonoptional decides.
  let optional: boolean | undefined;
  let nullable = false;
  let caught = false;
  let preset: { value: unknown } | undefined;
  const metas: KongMeta[] = [];
  for (let depth = 0; depth < 100; depth += 1) {
    metas.unshift(metaOf(node));
    const def: ZodDef = node._zod.def;
    const inner = innerOf(def);
    if (def.type === 'optional') optional ??= true;
    if (def.type === 'nonoptional') optional ??= false;
    if (def.type === 'catch') caught = true;
    if (def.type === 'default' || def.type === 'prefault') preset ??= { value: def.defaultValue };
    if (def.type === 'nullable' || (def.type === 'union' && takesNull(def.options ?? []))) nullable = true;
    if (def.type === 'union') {
      const { rest, hasNull, hasUndefined } = withoutNothing(def.options ?? []);
      if (rest.length === 1 && rest[0] !== undefined && (hasNull || hasUndefined)) {
        nullable ||= hasNull;
        if (hasUndefined) optional ??= true;
        node = rest[0];
        continue;
      }
    }
    if (inner === undefined) break;
    node = inner;
  }
  const meta: KongMeta = Object.assign({}, ...metas) as KongMeta;
  return {
    node,
    optional: optional === true,
    nullable,
    caught,
    meta,
    ...(preset === undefined ? {} : { default: preset }),
  };
}

/** The schema that a wrapper wraps, undefined if the schema is not a wrapper. */
export function innerOf(def: ZodDef): ZodNode | undefined {
  switch (def.type) {
    case 'optional':
    case 'nonoptional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'readonly':
    case 'catch':
      return def.innerType;
    case 'lazy':
      return def.getter?.();
    case 'pipe':
      return def.in?._zod.def.type === 'transform' ? undefined : def.in;
    default:
      return undefined;
  }
}

/** Whether an option of a union is one that takes null. */
const takesNull = (options: readonly ZodNode[]): boolean => options.some((option) => unwrap(option).nullable);

function withoutNothing(options: readonly ZodNode[]): {
  rest: ZodNode[];
  hasNull: boolean;
  hasUndefined: boolean;
} {
  const typeOf = (node: ZodNode): string => node._zod.def.type;
  return {
    rest: options.filter((node) => !['null', 'undefined'].includes(typeOf(node))),
    hasNull: options.some((node) => typeOf(node) === 'null'),
    hasUndefined: options.some((node) => typeOf(node) === 'undefined'),
  };
}
