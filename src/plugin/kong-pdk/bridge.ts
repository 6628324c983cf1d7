import type { PhaseChannel, FunctionRow } from '../../pdk/index.ts';
import { ExitSignal, keepUnchecked, rowByName } from '../../pdk/index.ts';
import { phases } from '../../pdk/names/index.ts';
import { bodyText } from './body-text.ts';
import { withoutRaising } from './without-raising.ts';

/** Functions that end the request: Kong never answers them. */
const ending = new Set(['kong.response.exit', 'kong.response.error']);

/** The error that kong-pdk threw when a call failed. */
class PDKError extends Error {
  override readonly name = 'PDKError';
}

interface BridgeCall {
  (...args: unknown[]): Promise<unknown>;
  [name: string]: unknown;
}

/**
 * The `kong` that plugins written for kong-pdk 0.6 get: any property path is a function of Kong's PDK by its name
 * (`kong.service.request.setHeader` calls `kong.service.request.set_header`), arguments travel as they are, and the
 * answer is Kong's own: undefined for what is absent, header and query values as arrays in getHeaders and getQuery.
 */
export function bridge(channel: PhaseChannel): BridgeCall {
  return newBridgeCall('kong', channel);
}

function newBridgeCall(name: string, channel: PhaseChannel): BridgeCall {
  const call = (...args: unknown[]): Promise<unknown> => callKong(name, args, channel);
  return new Proxy(call as BridgeCall, {
    get(target, key) {
      // `then` would make every namespace a promise that never settles.
      if (typeof key === 'symbol' || key === 'then') return Reflect.get(target, key) as unknown;
      return newBridgeCall(`${name}.${snakeCase(key)}`, channel);
    },
  });
}

function snakeCase(name: string): string {
  return name.replace(/[a-z0-9][A-Z]/g, (pair) => `${pair[0] ?? ''}_${pair[1] ?? ''}`.toLowerCase());
}

async function callKong(name: string, args: readonly unknown[], channel: PhaseChannel): Promise<unknown> {
  const row = rowOf(name);
  try {
    // In kong-pdk the handler goes on after an exit; its later calls fail, and Kong hears nothing of them.
    if (ending.has(name) && channel.phase !== 'log') return await channel.exit(row, args);
    // The call is in time even if the plugin does not wait, because nothing is awaited before it.
    const safe = withoutRaising(name, args, channel);
    if ('made' in safe) return (await safe.made) ?? undefined;
    const answer = channel.call(row, safe.args);
    keepUnchecked(row, channel, safe.args);
    const result = await answer;
    return result instanceof Uint8Array ? bodyText(result) : (result ?? undefined);
  } catch (error) {
    if (error instanceof ExitSignal) return undefined;
    if (channel.ended || !(error instanceof Error)) throw error;
    throw new PDKError(`PDK method ${name} failed:  ${error.message}`, { cause: error });
  }
}

const unknownRows = new Map<string, FunctionRow>();

/** The catalogue's row, or one made up for a function that the catalogue leaves out: Kong decides what it is. */
function rowOf(name: string): FunctionRow {
  const known = rowByName(name) ?? unknownRows.get(name);
  if (known !== undefined) return known;
  const row: FunctionRow = {
    name,
    path: name,
    description: '',
    example: '',
    arguments: [],
    result: { kind: 'value', type: 'unknown', empty: 'null' },
    protobuf: null,
    phases: { protobuf: [], msgpack: phases },
    offered: { protobuf: [], msgpack: phases },
    travel: { protobuf: 'absent', msgpack: 'getter' },
    composed: null,
    raw: null,
    details: [],
    since: null,
  };
  // Names come from plugin code, so there are only as many as it spells out. The limit is for a plugin that computes
  // names.
  if (unknownRows.size < 1000) unknownRows.set(name, row);
  return row;
}
