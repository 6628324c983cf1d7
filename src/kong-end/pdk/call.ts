import { reject } from './checks.ts';
import { clientFunctions } from './client.ts';
import { tlsFunctions } from './client-tls.ts';
import { contextFunctions } from './context.ts';
import { findFunction } from './functions.ts';
import { logFunctions } from './log.ts';
import { nginxFunctions } from './nginx.ts';
import { nodeFunctions } from './node.ts';
import { requestFunctions } from './request.ts';
import { responseFunctions } from './response.ts';
import { serviceFunctions } from './service.ts';
import { serviceRequestFunctions } from './service-request.ts';
import { serviceResponseFunctions } from './service-response.ts';
import type { Implementation, Implementations, PdkCall } from './types.ts';
import { vaultFunctions } from './vault.ts';

const implementations = new Map<string, Implementation>(
  [
    clientFunctions,
    tlsFunctions,
    contextFunctions,
    logFunctions,
    nginxFunctions,
    nodeFunctions,
    requestFunctions,
    responseFunctions,
    serviceFunctions,
    serviceRequestFunctions,
    serviceResponseFunctions,
    vaultFunctions,
  ].flatMap((each: Implementations) => Object.entries(each)),
);

/** Lua-only functions that a plugin can still reach over MsgPack:1, in every phase. */
const luaOnly: Implementations = {
  'kong.table.new': () => [],
  'kong.table.clear': () => null,
  'kong.tracing.active_span': () => null,
  'kong.log.inspect.on': () => null,
  'kong.log.inspect.off': () => null,
};

/** Names under `kong` that are values, not functions: calling them is an error in Lua. */
const values = ['kong.version', 'kong.version_num', 'kong.configuration', 'kong.ctx', 'kong.db'];

/** Whether the sandbox has code for a function. */
export function isImplemented(name: string): boolean {
  return implementations.has(name);
}

/** Functions that Kong 3.9.3 answers from the request that it has saved for the log timer, where there is one. */
const fromSaved: ReadonlySet<string> = new Set([
  'kong.log.serialize',
  'kong.nginx.get_ctx',
  'kong.nginx.set_ctx',
  'kong.nginx.req_start_time',
  'kong.ctx.shared.get',
  'kong.ctx.shared.set',
  'kong.request.get_headers',
  'kong.request.get_header',
  'kong.request.get_uri_captures',
  'kong.response.get_status',
  'kong.response.get_headers',
  'kong.response.get_header',
  'kong.response.get_source',
]);

/** Functions that Kong answers in log now and then: their implementations say when. */
function answersInLog({ phase }: PdkCall, name: string): boolean {
  return phase === 'log' && name.startsWith('kong.service.response.');
}

/**
 * The call as Kong makes it. If an earlier request was left behind, Kong makes it on that one, as if it were still
 * being logged.
 */
function onSaved(call: PdkCall, name: string): PdkCall {
  const { saved, exchange } = call;
  if (saved === undefined || saved === null || saved.exchange === exchange || !fromSaved.has(name))
    return call;
  return { ...call, phase: 'log', exchange: saved.exchange };
}

/**
 * Runs a function of Kong's PDK for a plugin, with Kong's phase rules. An unknown function is nil and an error line
 * (MsgPack:1; ProtoBuf:1 never gets here with one).
 *
 * @throws PdkRejection, PdkExit
 */
export function callFunction(made: PdkCall, name: string, args: readonly unknown[]): unknown {
  const call = onSaved(made, name);
  const row = findFunction(name);
  const implementation = implementations.get(name);
  if (row === null || implementation === undefined) {
    if (Object.hasOwn(luaOnly, name)) return (luaOnly[name] as Implementation)(call, args);
    if (values.some((value) => name === value || name.startsWith(`${value}.`)))
      return reject(`attempt to call ${name}, which is not a function`);
    call.exchange.node.log('error', `[${call.plugin.entity.name}] could not find pdk method: ${name}`);
    return null;
  }
  // Kong keeps the value that decides the phase in a place that a plugin can overwrite.
  if (call.exchange.ngxContext.has('KONG_PHASE')) return reject(`${name}: no phase in kong.ctx.core.phase`);
  if (!row.phases[call.protocol].includes(call.phase) && !answersInLog(call, name))
    return reject(`${name}: function cannot be called in ${call.phase} phase`);
  return implementation(call, args);
}
