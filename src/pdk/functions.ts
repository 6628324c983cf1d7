import { checks, defaultMaximum } from './argument-checks.ts';
import type { CheckContext } from './refusals.ts';
import { relationOf } from './argument-relations.ts';
import type { Relation } from './argument-relations.ts';
import { catalogue } from './catalogue.ts';
import type { CheckName, FunctionRow } from './catalogue.ts';
import type { PhaseChannel } from './channel.ts';
import { argumentRefusal, endedRefusal, maskHas, phaseMask, phaseRefusal } from './refusals.ts';
import { decoderOf } from './results.ts';
import type { Decode } from './results.ts';

/** One argument, ready to be checked. */
interface Argument {
  readonly context: CheckContext;
  readonly run: (value: unknown, context: CheckContext, channel: PhaseChannel) => unknown;
  readonly optional: boolean;
  /** null is a value of its own here. */
  readonly nullable: boolean;
  /** The value that travels if none was given, because ProtoBuf:1 would read "nothing" as 0. */
  readonly fallback: unknown;
}

/** A row with everything that a call needs worked out beforehand. */
export interface PdkFunction {
  readonly row: FunctionRow;
  /** Phases in which it may be called. */
  readonly mask: { readonly protobuf: number; readonly msgpack: number };
  readonly args: readonly Argument[];
  readonly rest: boolean;
  readonly relation: Relation | null;
  readonly decode: Decode;
}

const fallbacks: Partial<Record<CheckName, unknown>> = { maximum: defaultMaximum, flag: false };
const nullable: readonly CheckName[] = ['json', 'record'];

function compile(row: FunctionRow): PdkFunction {
  return {
    row,
    mask: { protobuf: phaseMask(row.offered.protobuf), msgpack: phaseMask(row.offered.msgpack) },
    args: row.arguments.map((argument) => ({
      context: { row, argument },
      run: checks[argument.check].run,
      optional: argument.optional === true,
      nullable: nullable.includes(argument.check),
      fallback: fallbacks[argument.check],
    })),
    rest: row.arguments[0]?.rest === true,
    relation: relationOf(row),
    decode: decoderOf(row.result),
  };
}

const functions = new Map(catalogue.map((row) => [row.name, compile(row)]));

/** The function of a wire name that the catalogue has. */
export function pdkFunction(name: string): PdkFunction {
  const found = functions.get(name);
  if (found === undefined) throw new Error(`The catalogue has no ${name}.`);
  return found;
}

/**
 * Why a call cannot be made now, null when it can: the event is over, or the function does not belong in this phase or
 * protocol. Nothing has been sent.
 */
export function refusalOf(fn: PdkFunction, channel: PhaseChannel): Error | null {
  if (!maskHas(fn.mask[channel.protocol], channel.phase)) return phaseRefusal(fn.row, channel);
  return channel.ended ? endedRefusal(fn.row) : null;
}

const noArguments: readonly unknown[] = Object.freeze([]);
const emptyLine: readonly unknown[] = Object.freeze(['']);

/**
 * The arguments as they travel.
 * @throws KongTsError PDK_INVALID_ARGUMENT
 */
export function checkedArguments(
  fn: PdkFunction,
  channel: PhaseChannel,
  given: readonly unknown[],
): readonly unknown[] {
  const { args } = fn;
  const first = args[0];
  if (first === undefined) return noArguments;
  // Kong's Lua raises if a log line has no value at all (read in Kong 3.9.3).
  if (fn.rest)
    return given.length === 0 ? emptyLine : given.map((value) => first.run(value, first.context, channel));
  const sent: unknown[] = [];
  let length = 0;
  for (let at = 0; at < args.length; at++) {
    const value = checkedArgument(args[at] as Argument, given[at], channel);
    sent.push(value ?? null);
    if (value !== undefined) length = at + 1;
  }
  sent.length = length;
  if (fn.relation !== null) fn.relation(fn.row, sent);
  return sent;
}

function checkedArgument(argument: Argument, value: unknown, channel: PhaseChannel): unknown {
  if (value !== undefined && value !== null) return argument.run(value, argument.context, channel);
  if (argument.optional) return argument.fallback;
  if (argument.nullable) return null;
  const { row, argument: spec } = argument.context;
  throw argumentRefusal(row, spec.name, value, checks[spec.check].allowed);
}

/** One answer of Kong, decoded. The arguments are checked already. */
export function answerTo(fn: PdkFunction, channel: PhaseChannel, args: readonly unknown[]): Promise<unknown> {
  return channel.ask === undefined
    ? channel.call(fn.row, args).then(fn.decode)
    : channel.ask(fn.row, args, fn.decode);
}

/** One answer of Kong, checked and decoded: how composed functions ask. */
export async function ask(channel: PhaseChannel, name: string, ...given: unknown[]): Promise<unknown> {
  const fn = pdkFunction(name);
  if (channel.ended) throw endedRefusal(fn.row);
  return answerTo(fn, channel, checkedArguments(fn, channel, given));
}

/** Sends a setter: how composed functions set. */
export function tell(channel: PhaseChannel, name: string, ...given: unknown[]): void {
  const fn = pdkFunction(name);
  if (channel.ended) throw endedRefusal(fn.row);
  channel.send(fn.row, checkedArguments(fn, channel, given));
}
