import { Buffer } from 'node:buffer';
import type { FunctionRow, namespaces, ResultKind } from '../pdk/catalogue/index.ts';
import { catalogue } from '../pdk/catalogue/index.ts';
import type { KongApi } from '../pdk/index.ts';
import type { Protocol } from '../pdk/names/index.ts';
import { withoutNulls } from '../kong-end/index.ts';
import { nearest } from '../base/nearest.ts';
import { listed, misuse } from './misuse.ts';

type Namespaces = typeof namespaces;

/** `kong.request` -> `request.`, `kong` -> ``. */
type Prefix<Path extends string> = Path extends `kong.${infer Rest}` ? `${Rest}.` : '';

/** The functions of the PDK by path without `kong.`: `request.getHeader`, `ctx.shared.get`, `log.serialize`. */
export type FunctionPath = {
  [Path in keyof Namespaces]: `${Prefix<Path>}${Extract<keyof Namespaces[Path], string>}`;
}[keyof Namespaces];

/** What a path leads to. */
type At<Api, Path extends string> = Path extends `${infer Head}.${infer Rest}`
  ? Head extends keyof Api
    ? At<Api[Head], Rest>
    : never
  : Path extends keyof Api
    ? Api[Path]
    : never;

type Replacement<Function> = Function extends (...args: infer Arguments) => Promise<infer Result>
  ? (...args: Arguments) => Result | Promise<Result>
  : never;

/**
 * Answers in place of Kong's, by function: `{ 'request.getHeader': (name) => 'x' }`. Each gets the arguments that
 * reached Kong and returns what the plugin gets. One that throws is a call that fails: Kong ends the event, the client
 * gets a 500. `response.exit` and `response.error` end the request and cannot be replaced.
 */
export type Overrides = {
  readonly [Path in Exclude<FunctionPath, 'response.exit' | 'response.error'>]?: Replacement<
    At<KongApi, Path>
  >;
};

/** An override without its types. */
export type Answer = (...args: never[]) => unknown;

/** Overrides sorted by where they are answered. */
export interface CompiledOverrides {
  /** By wire name: answered on Kong's side of the socket. */
  readonly wire: ReadonlyMap<string, Answer>;
  /** Functions that are made of others on the plugin's side, and are answered there. */
  readonly composed: ReadonlyMap<FunctionRow, Answer>;
}

const byPath = new Map(catalogue.map((row) => [row.path.replace(/^kong\./, ''), row]));

/** The path of a function as tests name it, from its wire name. */
export function testPath(row: FunctionRow | null, wireName: string): string {
  return (row?.path ?? wireName).replace(/^kong\./, '');
}

/**
 * @param composes whether the plugin's side can answer composed functions (the test kit runs it)
 * @throws KongTsError TEST_MISUSE for an unknown function, one that cannot be replaced, or no function
 */
export function compileOverrides(
  overrides: Overrides | undefined,
  protocol: Protocol,
  composes: boolean,
): CompiledOverrides {
  const wire = new Map<string, Answer>();
  const composed = new Map<FunctionRow, Answer>();
  for (const [path, answer] of Object.entries(overrides ?? {}) as [string, Answer | undefined][]) {
    if (answer === undefined) continue;
    const row = rowOf(path);
    if (typeof answer !== 'function') {
      throw misuse(`The override of ${path} is not a function.`, `Write { '${path}': () => value }.`);
    }
    const travel = row.travel[protocol];
    if (travel === 'exit' || row.name === 'kong.response.error') {
      throw misuse(
        `${path} ends the request and cannot be overridden.`,
        'Look at the result: exit holds its status, headers and body.',
      );
    }
    if (travel === 'composed' && !composes) {
      const parts = (row.composed?.from ?? []).map((name) => testPath(byWire(name), name));
      throw misuse(
        `${path} is made of other calls on the plugin server's side, so that no Kong ever sees it.`,
        `Override what it calls: ${listed(parts)}.`,
      );
    }
    if (travel === 'composed' || (composes && row.inLog != null)) composed.set(row, answer);
    else if (travel === 'absent') {
      throw misuse(
        `${path} cannot be called over ProtoBuf:1, so that its override would never be asked.`,
        "Leave it out, or test with protocol: 'msgpack'.",
      );
    } else wire.set(row.name, answer);
  }
  return { wire, composed };
}

function byWire(name: string): FunctionRow | null {
  return catalogue.find((row) => row.name === name) ?? null;
}

function rowOf(path: string): FunctionRow {
  const row = byPath.get(path);
  if (row !== undefined) return row;
  const best = nearest(path, [...byPath.keys()]);
  throw misuse(
    `The PDK has no function ${JSON.stringify(path)} to override.`,
    best === null ? "Names are like 'request.getHeader'; docs/pdk.md lists them." : `Did you mean '${best}'?`,
  );
}

/** A plugin's value as Kong's side of a protocol holds it: the opposite of what the PDK makes of an answer. */
export function wireValue(row: FunctionRow, value: unknown, protocol: Protocol): unknown {
  return toWire(row.result.kind, value ?? null, protocol);
}

function toWire(kind: ResultKind, value: unknown, protocol: Protocol): unknown {
  if (value === null || kind === 'void') return null;
  switch (kind) {
    case 'bytes':
      return bytes(value);
    case 'rawBody':
      return protocol === 'protobuf' ? { content: bytes(value) } : bytes(value);
    case 'record':
      return typeof value === 'string' ? value : JSON.stringify(value);
    case 'captures': {
      const { unnamed, named } = value as { unnamed: string[]; named: Record<string, string> };
      // Over MsgPack:1 element 0 is the whole match.
      return { unnamed: protocol === 'protobuf' ? unnamed : ['', ...unnamed], named };
    }
    case 'consumer':
    case 'credential':
    case 'route':
    case 'service':
      return withoutNulls(value);
    default:
      return value;
  }
}

function bytes(value: unknown): unknown {
  return typeof value === 'string' || value instanceof Uint8Array ? Buffer.from(value) : value;
}
