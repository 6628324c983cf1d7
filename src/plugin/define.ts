import type { z } from 'zod';
import { KongTsError } from '../base/errors.ts';
import { nearest } from '../base/nearest.ts';
import type { Phase, Protocol, DefaultKongVersion, KongVersion } from '../pdk/names/index.ts';
import { phases as allPhases, defaultKongVersion, kongVersions } from '../pdk/names/index.ts';
import { brand } from './brand.ts';
import type { Kong } from '../pdk/index.ts';
import { compileConfig } from './schema/compile.ts';
import type { KongProtocol } from './schema/meta.ts';
import type { CompiledPlugin, PhaseHandler, PluginHandlers, SetupContext } from './types.ts';

type MaybePromise<T> = T | Promise<T>;

/** The fields that every definition has. */
export interface PluginBase<
  Schema extends z.ZodType,
  R extends Protocol,
  V extends KongVersion = DefaultKongVersion,
> {
  /** Kong's name for the plugin: letters, digits, `-` and `_`. */
  readonly name: string;
  /** `x.y.z`: Kong refuses anything else. */
  readonly version: string;
  /** An integer; plugins with a higher one run first. Kong's own authentication plugins have 1030 to 1450. Default 0. */
  readonly priority?: number;
  /** `protobuf` is quicker; `msgpack` offers every function of the PDK. Default `protobuf`. */
  readonly protocol?: R;
  /**
   * The oldest version of Kong that the plugin is to run on: functions that later ones added do not compile. Default
   * `3.9`.
   */
  readonly kong?: V;
  /** The configuration's fields as a zod object; becomes Kong's schema. Without one the plugin takes none. */
  readonly config?: Schema;
  /**
   * The protocols the plugin may be configured for. Default: Kong's (http, https, grpc, grpcs); for a plugin with
   * `preread` those of streams, and all of them where it has `rewrite`, `access` or `response` as well.
   */
  readonly protocols?: readonly KongProtocol[];
  /**
   * What becomes of a request when a handler throws or runs too long. `fail` answers 500 in rewrite, access and
   * response, and ends the connection in preread and the TLS handshake in certificate. `continue` lets the request
   * through. Default `fail`.
   */
  readonly onError?: 'fail' | 'continue';
  /** How long one phase may run, in milliseconds, below Kong's own 60,000. Default 30,000. */
  readonly phaseTimeout?: number;
  /**
   * Over `protobuf` in rewrite, access and response, the server learns which getters a handler begins with and asks
   * Kong for all of them at once when it asks for the first. Values are the same either way; false switches it off.
   * Default true.
   */
  readonly prefetch?: boolean;
  /**
   * Setters of headers that follow each other leave as one call of their plural, and getters of request headers that are
   * asked for together as one get_headers. Values, effects and errors are the same either way; false switches it off.
   * Default true.
   */
  readonly merge?: boolean;
  /**
   * Names of values that the log handler reads with `kong.ctx.shared.get` or `kong.nginx.getCtx` although Lua plugins, or
   * plugins of another server, set them. Without a name here, a log handler gets what plugins of the same server have
   * set. Name only what is always a text, a number, a boolean, or a table of these that is a list or has texts as keys:
   * Kong raises for anything else, and then keeps the request's data for handlers of later requests to read (measured
   * on 3.9.3). The server asks no more for a name that Kong has once not answered. Default none.
   */
  readonly readsInLog?: readonly string[];
  /**
   * Names of environment variables that the plugin reads. A server that Kong starts gets next to nothing of Kong's
   * environment (measured on 3.9.3): `kong-ts kong-config` passes these on, and `kong-ts doctor` looks for them.
   * Default none.
   */
  readonly environment?: readonly string[];
}

/**
 * The PDK of a phase by version and protocol. TypeScript 5 gives up on `Kong<P, R, V>` while it still infers R and V
 * (TS2590). It does not look into a table before it knows both.
 */
type KongBy<P extends Phase> = {
  readonly [V in KongVersion]: { readonly [R in Protocol]: Kong<P, R, V> };
};

/** Handlers of phases; each gets the PDK as its phase and protocol have it, and the configuration. */
export type Handlers<Config, R extends Protocol, V extends KongVersion = DefaultKongVersion> = {
  readonly [P in Phase]?: (kong: KongBy<P>[V][R], config: Config) => unknown;
};

/**
 * The result of `setup`: a handler for each announced phase, and `close`, which runs when the configuration is given
 * up.
 */
export type SetupHandlers<
  P extends Phase,
  R extends Protocol,
  Config,
  V extends KongVersion = DefaultKongVersion,
> = Handlers<Config, R, V> & { readonly [Name in P]: unknown } & { readonly close?: () => unknown };

/** A plugin without state of its own: handlers only. */
export type StatelessPlugin<
  Schema extends z.ZodType,
  R extends Protocol,
  V extends KongVersion = DefaultKongVersion,
> = PluginBase<Schema, R, V> &
  Handlers<z.output<Schema>, R, V> & { readonly setup?: never; readonly phases?: never };

/**
 * A plugin with state. `setup` runs once per configuration and worker, and all instances of the configuration share its
 * result.
 */
export type StatefulPlugin<
  Schema extends z.ZodType,
  R extends Protocol,
  P extends Phase,
  V extends KongVersion = DefaultKongVersion,
> = PluginBase<Schema, R, V> & {
  /** The phases that `setup` returns handlers for. Kong asks before any configuration exists. */
  readonly phases: readonly P[];
  readonly setup: (
    context: SetupContext<z.output<Schema>>,
  ) => MaybePromise<SetupHandlers<P, R, z.output<Schema>, V>>;
};

/** The schema of a plugin that takes no configuration. */
type NoConfig = z.ZodType<Record<string, never>>;

/**
 * Defines a plugin; a plugin file exports the result as its default.
 *
 * The first form holds handlers only. The second form has `setup`, called once per plugin configuration and worker
 * (Kong starts an instance per nginx worker; they share it), which returns the handlers and an optional `close`.
 *
 * @throws KongTsError PLUGIN_INVALID for a name, version, priority or handler that Kong or the server cannot take,
 *   PLUGIN_SCHEMA_UNSUPPORTED for a zod type without a counterpart in Kong's schema language.
 */
export function definePlugin<
  P extends Phase,
  Schema extends z.ZodType = NoConfig,
  R extends Protocol = 'protobuf',
  V extends KongVersion = DefaultKongVersion,
>(definition: StatefulPlugin<Schema, R, P, V>): CompiledPlugin;
export function definePlugin<
  Schema extends z.ZodType = NoConfig,
  R extends Protocol = 'protobuf',
  V extends KongVersion = DefaultKongVersion,
>(definition: StatelessPlugin<Schema, R, V>): CompiledPlugin;
export function definePlugin(definition: object): CompiledPlugin {
  return compilePlugin(definition);
}

const isVariable = (name: unknown): name is string => typeof name === 'string' && /^[A-Za-z_]\w*$/.test(name);

/** @throws KongTsError PLUGIN_INVALID */
export function namesIn(
  given: unknown,
  invalid: (text: string, fix: string) => KongTsError,
): readonly string[] {
  const names = given ?? [];
  if (Array.isArray(names) && names.every((name) => typeof name === 'string')) return names;
  throw invalid(
    `readsInLog is ${JSON.stringify(names)}`,
    'It is a list of names in kong.ctx.shared or nginx\'s context, such as ["authenticated_groups"].',
  );
}

/** A definition as it comes from JavaScript: nothing about it is known yet. */
type Loose = { readonly [key: string]: unknown };

/** Checks a definition and makes it what the server runs. `where` names it in errors (`plugin "x"`, a file). */
export function compilePlugin(input: object, where?: string): CompiledPlugin {
  const definition = input as Loose;
  const name = definition['name'];
  const label = where ?? (typeof name === 'string' ? `Plugin "${name}"` : 'The plugin');
  const invalid = (text: string, fix: string): KongTsError =>
    new KongTsError('PLUGIN_INVALID', `${label}: ${text}.`, { fix });

  if (typeof name !== 'string' || !/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(name)) {
    throw invalid(
      `name is ${JSON.stringify(name)}`,
      'Kong takes letters, digits, "-" and "_", for example "my-plugin".',
    );
  }
  const version = definition['version'];
  if (typeof version !== 'string' || !/^\d+\.\d+\.\d+/.test(version)) {
    throw invalid(`version is ${JSON.stringify(version)}`, 'Kong takes "x.y.z", for example "1.0.0".');
  }
  const priority = definition['priority'] ?? 0;
  if (typeof priority !== 'number' || !Number.isSafeInteger(priority)) {
    throw invalid(`priority is ${JSON.stringify(priority)}`, 'Kong takes an integer.');
  }
  const protocol = definition['protocol'] ?? 'protobuf';
  if (protocol !== 'protobuf' && protocol !== 'msgpack') {
    throw invalid(`protocol is ${JSON.stringify(protocol)}`, 'It is "protobuf" or "msgpack".');
  }
  const kong = definition['kong'] ?? defaultKongVersion;
  if (!(kongVersions as readonly unknown[]).includes(kong)) {
    throw invalid(`kong is ${JSON.stringify(kong)}`, `It is one of ${kongVersions.join(', ')}.`);
  }
  const onError = definition['onError'] ?? 'fail';
  if (onError !== 'fail' && onError !== 'continue') {
    throw invalid(`onError is ${JSON.stringify(onError)}`, 'It is "fail" or "continue".');
  }
  const phaseTimeout = definition['phaseTimeout'] ?? 30_000;
  if (typeof phaseTimeout !== 'number' || !(phaseTimeout > 0) || phaseTimeout >= 60_000) {
    throw invalid(
      `phaseTimeout is ${JSON.stringify(phaseTimeout)}`,
      'It is in milliseconds, above 0 and below 60000, when Kong itself gives the request up.',
    );
  }
  const prefetch = definition['prefetch'] ?? true;
  if (typeof prefetch !== 'boolean') {
    throw invalid(`prefetch is ${JSON.stringify(prefetch)}`, 'It is true or false.');
  }
  const merge = definition['merge'] ?? true;
  if (typeof merge !== 'boolean') {
    throw invalid(`merge is ${JSON.stringify(merge)}`, 'It is true or false.');
  }
  const environment = definition['environment'] ?? [];
  if (!Array.isArray(environment) || !environment.every(isVariable)) {
    throw invalid(
      `environment is ${JSON.stringify(environment)}`,
      'It is a list of names of environment variables, such as ["JWT_SECRET"].',
    );
  }
  const readsInLog = namesIn(definition['readsInLog'], invalid);
  const { announced, setup } = compileHandlers(definition, invalid);
  const { schema, parseConfig } = compileConfig(
    name,
    definition['config'],
    definition['protocols'],
    announced,
  );
  return brand({
    name,
    version,
    priority,
    protocol,
    onError,
    phaseTimeout,
    prefetch,
    merge,
    readsInLog,
    environment,
    phases: announced,
    schema,
    parseConfig,
    setup,
  });
}

function compileHandlers(
  definition: Loose,
  invalid: (text: string, fix: string) => KongTsError,
): { announced: readonly Phase[]; setup: CompiledPlugin['setup'] } {
  const setup = definition['setup'];
  refuseUnknown(definition, invalid);
  if (setup === undefined) {
    const handlers = pickHandlers(definition, allPhases, invalid);
    const announced = allPhases.filter((phase) => handlers[phase] !== undefined);
    const phases: unknown = definition['phases'];
    const uncalled = announced.filter((phase) => Array.isArray(phases) && !phases.includes(phase));
    if (uncalled.length > 0) {
      throw invalid(
        `it has a handler for ${uncalled.join(', ')}, which phases does not name`,
        'Take phases out: without setup, the handlers say which phases there are.',
      );
    }
    if (announced.length === 0) {
      throw invalid('it has no handler', `Give it at least one of ${allPhases.join(', ')}, or setup.`);
    }
    const shared: PluginHandlers = { phases: handlers, close: null };
    return { announced, setup: async () => shared };
  }
  if (typeof setup !== 'function') throw invalid('setup is not a function', 'Make it a function.');
  const beside = allPhases.filter((phase) => typeof definition[phase] === 'function');
  if (beside.length > 0) {
    throw invalid(
      `it has setup, and a handler for ${beside.join(', ')} beside it, which is never called`,
      'Return the handler from setup.',
    );
  }
  const asked = definition['phases'];
  if (!Array.isArray(asked) || asked.length === 0 || !asked.every(isPhase)) {
    throw invalid(
      `phases is ${JSON.stringify(asked)}`,
      `A plugin with setup names its phases, because Kong asks before setup can run: phases: ["access"]. Known are ${allPhases.join(', ')}.`,
    );
  }
  const announced = allPhases.filter((phase) => asked.includes(phase));
  return {
    announced,
    setup: async (context) => {
      const returned: unknown = await (setup as (context: SetupContext<unknown>) => unknown)(context);
      if (typeof returned !== 'object' || returned === null) {
        throw invalid(
          'setup returned no handlers',
          'Return an object with one function per announced phase.',
        );
      }
      const handlers = pickHandlers(returned as Loose, announced, invalid);
      const missing = announced.filter((phase) => handlers[phase] === undefined);
      if (missing.length > 0) {
        throw invalid(
          `setup returned no handler for ${missing.join(', ')}`,
          'Return one for each phase in phases, or take the phase out.',
        );
      }
      const unasked = allPhases.filter(
        (phase) => !announced.includes(phase) && typeof (returned as Loose)[phase] === 'function',
      );
      if (unasked.length > 0) {
        throw invalid(
          `setup returned a handler for ${unasked.join(', ')}, which Kong never calls`,
          'Name the phase in phases, or give the function another name.',
        );
      }
      const close = (returned as Loose)['close'];
      return {
        phases: handlers,
        close: typeof close === 'function' ? () => close.call(returned) as unknown : null,
      };
    },
  };
}

const known: readonly string[] = [
  ...[
    'name',
    'version',
    'priority',
    'protocol',
    'kong',
    'config',
    'protocols',
    'onError',
    'phaseTimeout',
    'prefetch',
    'merge',
  ],
  ...['readsInLog', 'environment', 'phases', 'setup', ...allPhases],
];

/** A handler or an option with a slip in its name would never count. An object of a class may have any members. */
function refuseUnknown(definition: Loose, invalid: (text: string, fix: string) => KongTsError): void {
  const prototype: unknown = Object.getPrototypeOf(definition);
  if (prototype !== Object.prototype && prototype !== null) return;
  const unknown = Object.keys(definition).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const meant = nearest(unknown, known);
  throw invalid(
    `it has "${unknown}", which means nothing`,
    meant === null ? `Known are ${known.join(', ')}.` : `Did you mean ${meant}?`,
  );
}

/** The handlers of an object, bound to it, so that a class instance works as well. */
function pickHandlers(
  source: Loose,
  names: readonly Phase[],
  invalid: (text: string, fix: string) => KongTsError,
): Partial<Record<Phase, PhaseHandler>> {
  const handlers: Partial<Record<Phase, PhaseHandler>> = {};
  for (const phase of names) {
    const handler = source[phase];
    if (handler === undefined) continue;
    if (typeof handler !== 'function') throw invalid(`${phase} is not a function`, 'Make it a function.');
    handlers[phase] = handler.bind(source) as PhaseHandler;
  }
  return handlers;
}

function isPhase(value: unknown): value is Phase {
  return (allPhases as readonly unknown[]).includes(value);
}
