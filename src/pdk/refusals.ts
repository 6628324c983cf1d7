import { KongTsError } from '../base/errors.ts';
import type { ArgumentSpec, FunctionRow } from './catalogue.ts';
import type { PhaseChannel } from './channel.ts';
import { phases } from './names/phases.ts';
import type { Phase, Protocol } from './names/phases.ts';

/** The facts about the call that a check knows. */
export interface CheckContext {
  readonly row: FunctionRow;
  readonly argument: ArgumentSpec;
}

/** The places in the record of kong.log.serialize that hold the values of functions of earlier phases. */
const inLogRecord: Readonly<Record<string, string>> = {
  'kong.client.get_ip': 'client_ip',
  'kong.client.get_forwarded_ip': 'client_ip',
  'kong.client.authenticate': 'consumer',
  'kong.request.get_scheme': 'request.url',
  'kong.request.get_host': 'request.url',
  'kong.request.get_port': 'request.url',
  'kong.request.get_forwarded_scheme': 'request.url',
  'kong.request.get_forwarded_host': 'request.url',
  'kong.request.get_forwarded_port': 'request.url',
  'kong.request.get_method': 'request.method',
  'kong.request.get_path': 'request.uri',
  'kong.request.get_raw_path': 'request.uri',
  'kong.request.get_path_with_query': 'request.uri',
  'kong.request.get_raw_query': 'request.uri',
  'kong.request.get_query': 'request.querystring',
  'kong.request.get_query_arg': 'request.querystring',
  'kong.service.response.get_header': 'response.headers, as the client got them',
  'kong.service.response.get_headers': 'response.headers, as the client got them',
};

const phaseBits = Object.fromEntries(phases.map((phase, at) => [phase, 1 << at])) as Record<Phase, number>;

/** Phases as a mask, so that the check before each call is one comparison of numbers. */
export function phaseMask(list: readonly Phase[]): number {
  return list.reduce((mask, phase) => mask | phaseBits[phase], 0);
}

/** Whether a mask holds the channel's phase. */
export function maskHas(mask: number, phase: Phase): boolean {
  return (mask & phaseBits[phase]) !== 0;
}

/** Why a call cannot be made in this phase, over this protocol. */
export function phaseRefusal(row: FunctionRow, channel: PhaseChannel): KongTsError {
  const { phase, protocol } = channel;
  const elsewhere = row.offered[protocol];
  if (row.travel[protocol] === 'absent' && row.phases[otherProtocol(protocol)].length > 0) {
    return new KongTsError(
      'PDK_NOT_IN_PROTOCOL',
      `${row.path}() cannot be called over ProtoBuf:1 (in the ${phase} phase): Kong does not offer it there.`,
      { fix: 'Set protocol: "msgpack" in the plugin.' },
    );
  }
  return new KongTsError(
    'PDK_NOT_IN_PHASE',
    elsewhere.length === 0
      ? `${row.path}() cannot be called in the ${phase} phase, nor in any other that Kong runs on a plugin server.`
      : `${row.path}() cannot be called in the ${phase} phase; it works in ${list(elsewhere)}.`,
    { fix: wayOut(row, phase) },
  );
}

function otherProtocol(protocol: Protocol): Protocol {
  return protocol === 'protobuf' ? 'msgpack' : 'protobuf';
}

function wayOut(row: FunctionRow, phase: Phase): string {
  const field = phase === 'log' ? inLogRecord[row.name] : undefined;
  if (field !== undefined) return `In the log phase, kong.log.serialize() has it as ${field}.`;
  if (row.result.kind !== 'void' && phase === 'log') {
    return 'Read it in an earlier phase and pass it on with kong.ctx.shared.set().';
  }
  if (row.offered.protobuf.length + row.offered.msgpack.length === 0) return `Use instead: ${row.example}`;
  return row.result.kind === 'void'
    ? 'Move the call to a handler of one of these phases.'
    : 'Call it in a handler of one of these phases; kong.ctx.shared.set() passes a value on to later ones.';
}

function list(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** Why a function of HTTP requests cannot be called in the log phase of a stream. */
export function streamRefusal(row: FunctionRow): KongTsError {
  return new KongTsError(
    'PDK_NOT_IN_PHASE',
    `${row.path}() cannot be called in the log phase of a TCP connection: there is no request and no response.`,
    { fix: 'kong.log.serialize() has what Kong knows of the connection.' },
  );
}

/** Why a call that comes after the end of its event is not made. */
export function endedRefusal(row: FunctionRow): KongTsError {
  return new KongTsError(
    'PDK_EVENT_ENDED',
    `${row.path}() was called after the event had ended (exit, error, timeout, or the handler had returned).`,
    { fix: 'Await every call before the handler returns.' },
  );
}

/** Why an argument cannot be sent: names function, argument, what was given and what is allowed. */
export function argumentRefusal(
  row: FunctionRow,
  argument: string,
  given: unknown,
  allowed: string,
): KongTsError {
  return new KongTsError(
    'PDK_INVALID_ARGUMENT',
    `${row.path}(): ${argument} must be ${allowed}, not ${describe(given)}.`,
  );
}

/** A value for an error message: never long, and of a text no more than its beginning. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'string') {
    return value.length > 40 ? `${JSON.stringify(value.slice(0, 40))}...` : JSON.stringify(value);
  }
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return String(value);
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'symbol') return 'a symbol';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  return `an object (${value.constructor?.name ?? 'without prototype'})`;
}
