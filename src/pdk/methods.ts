import { namingBody } from './bodies/named-failure.ts';
import type { NamespaceSpec } from './catalogue.ts';
import type { PhaseChannel, KongFacts } from './channel.ts';
import { compositions } from './compositions.ts';
import type { Composed } from './compositions.ts';
import { rawBody } from './compositions.ts';
import { composedError, exit, nativeError } from './exits.ts';
import { setValue, valueInLog } from './context-values.ts';
import { answerTo, ask, checkedArguments, pdkFunction, refusalOf } from './functions.ts';
import type { PdkFunction } from './functions.ts';
import { streamRefusal } from './refusals.ts';

/** The promise of all setters and logs: they are sent, and nothing comes back. */
const done: Promise<undefined> = Promise.resolve(undefined);

/** Functions that need more than one call of the catalogue's kind, whatever the protocol. */
const special: Readonly<Record<string, Composed>> = {
  'kong.request.get_raw_body': (channel, [maxFileSize]) =>
    harmless(
      namingBody(
        'kong.request.getRawBody',
        rawBody(channel, (maxFileSize as number | null | undefined) ?? undefined),
      ),
    ),
  // Kong has the upstream's length as a number, but ProtoBuf:1 needs a text. The request would end with a 500.
  'kong.service.response.get_header': (channel, args) => {
    const ownLength = channel.protocol === 'protobuf' && /^content[-_]length$/i.test(args[0] as string);
    const name = ownLength ? 'kong.response.get_header' : 'kong.service.response.get_header';
    return answerTo(pdkFunction(name), channel, args);
  },
  'kong.response.exit': exit,
  'kong.response.error': (channel, args) =>
    channel.protocol === 'msgpack'
      ? nativeError(channel, args)
      : harmless(held(channel, composedError(channel, args))),
  'kong.ctx.shared.set': setValue('kong.ctx.shared.set'),
  'kong.nginx.set_ctx': setValue('kong.nginx.set_ctx'),
  // ngx cannot add a list at once.
  'kong.service.request.add_header': (channel, [name, value]) => {
    const { row } = pdkFunction('kong.service.request.add_header');
    for (const line of Array.isArray(value) ? (value as unknown[]) : [value]) channel.send(row, [name, line]);
    return done;
  },
};

/** A call that nobody awaits is not an unhandled rejection. */
function harmless<T>(call: Promise<T>): Promise<T> {
  call.catch(() => undefined);
  return call;
}

/** Keeps the event open for a composed function that a handler may not await. */
function held<T>(channel: PhaseChannel, work: Promise<T>): Promise<T> {
  channel.hold?.(work);
  return work;
}

/**
 * Makes one call: refused here, or sent. Never throws; every refusal is a rejection.
 * @param own how the function is made when it is more than one call of its kind
 */
export function invoke(
  fn: PdkFunction,
  own: Composed | null,
  channel: PhaseChannel,
  given: readonly unknown[],
): Promise<unknown> {
  const refusal = refusalOf(fn, channel);
  if (refusal !== null) {
    if (channel.ended) channel.tooLate?.(refusal);
    return refused(refusal, channel.ended);
  }
  try {
    const args = checkedArguments(fn, channel, given);
    if (channel.phase === 'log') {
      const made = madeInLog(fn, channel, args);
      if (made !== null) return made;
    }
    if (own !== null) return own(channel, args);
    switch (fn.row.travel[channel.protocol]) {
      case 'getter':
        return answerTo(fn, channel, args);
      case 'setter':
      case 'log':
        channel.send(fn.row, args);
        return done;
      default: {
        const work = held(channel, composition(fn)(channel, args));
        return fn.row.name.endsWith('.get_body') ? harmless(namingBody(fn.row.path, work)) : work;
      }
    }
  } catch (thrown) {
    return refused(thrown instanceof Error ? thrown : new Error(String(thrown)), false);
  }
}

/**
 * The answer to a call that must not reach Kong in the log phase, because Kong would raise there. Null for every other
 * call. It rejects with PDK_NOT_IN_PHASE for a function that only the log phase of HTTP requests has.
 */
export function madeInLog(
  fn: PdkFunction,
  channel: PhaseChannel,
  args: readonly unknown[],
): Promise<unknown> | null {
  if (fn.row.inLog != null) return held(channel, composition(fn)(channel, args));
  const value = valueInLog(fn, channel, args);
  if (value !== null) return harmless(value);
  const { facts } = channel;
  if (facts === undefined || facts.subsystem === 'http') return null;
  if (fn.row.httpLog === true) return held(channel, onHttpOnly(fn, channel, facts, args));
  const addresses = fn.row.name === 'kong.router.get_route' && channel.protocol === 'protobuf';
  return addresses ? held(channel, routeOfAny(fn, channel, facts)) : null;
}

/**
 * Kong cannot send a route with sources or destinations over ProtoBuf:1, which has no place for addresses. So the route
 * of a stream comes out of the record, with both of them.
 */
async function routeOfAny(fn: PdkFunction, channel: PhaseChannel, facts: KongFacts): Promise<unknown> {
  if (!(await isStream(channel, facts))) return answerTo(fn, channel, []);
  const record = (await ask(channel, 'kong.log.serialize')) as { route?: unknown };
  return fn.decode(record.route ?? null);
}

async function isStream(channel: PhaseChannel, facts: KongFacts): Promise<boolean> {
  facts.subsystem ??= (await ask(channel, 'kong.nginx.get_subsystem')) === 'stream' ? 'stream' : 'http';
  return facts.subsystem === 'stream';
}

async function onHttpOnly(
  fn: PdkFunction,
  channel: PhaseChannel,
  facts: KongFacts,
  args: readonly unknown[],
): Promise<unknown> {
  if (await isStream(channel, facts)) throw streamRefusal(fn.row);
  return answerTo(fn, channel, args);
}

function composition(fn: PdkFunction): Composed {
  const found = compositions[fn.row.name];
  if (found === undefined) throw new Error(`${fn.row.name} has no composition.`);
  return found;
}

/** After the end of its event nobody waits for a call any more. So its rejection must not be an unhandled one. */
function refused(reason: Error, handled: boolean): Promise<never> {
  const rejection = Promise.reject<never>(reason);
  if (handled) rejection.catch(() => undefined);
  return rejection;
}

/** The object that the methods of a namespace are called on. */
class Namespace {
  readonly channel: PhaseChannel;

  constructor(channel: PhaseChannel) {
    this.channel = channel;
  }
}

/** A method for a prototype: everything but the channel is worked out beforehand. */
export function methodOf(name: string): (this: Namespace, ...given: unknown[]) => Promise<unknown> {
  const fn = pdkFunction(name);
  const own = special[name] ?? null;
  return function (...given) {
    return invoke(fn, own, this.channel, given);
  };
}

/** A class whose instances are one namespace for one event: a single field, methods on the prototype. */
export function namespaceClass<Api extends object>(spec: NamespaceSpec): new (channel: PhaseChannel) => Api {
  class Functions extends Namespace {}
  for (const [name, { name: wireName }] of Object.entries(spec)) {
    Object.defineProperty(Functions.prototype, name, { value: methodOf(wireName), writable: true });
  }
  return Functions as unknown as new (channel: PhaseChannel) => Api;
}
