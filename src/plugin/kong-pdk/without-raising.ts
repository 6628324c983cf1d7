import type { PhaseChannel } from '../../pdk/index.ts';
import { rowByName, checkedArguments, pdkFunction, refusalOf, madeInLog } from '../../pdk/index.ts';

/** The call that is sent, or the answer that was made here. */
type Safe = { readonly args: readonly unknown[] } | { readonly made: Promise<unknown> };

/** Setters whose arguments can make Kong raise later on, for every plugin of the request. */
const lasting = new Set(['kong.nginx.set_ctx', 'kong.log.set_serialize_value']);

/**
 * Checks whether a call of a plugin for kong-pdk would make Kong raise. In other phases that is a 500 for the client,
 * as with kong-pdk. In the log phase it would leave the request's data behind, for handlers of later requests to read
 * (measured on Kong 3.9.3). So there the call is refused, or answered from the record, as for other plugins.
 * @throws KongTsError if it is refused
 */
export function withoutRaising(name: string, args: readonly unknown[], channel: PhaseChannel): Safe {
  const inLog = channel.phase === 'log';
  if (!inLog && !lasting.has(name)) return { args };
  if (rowByName(name) === null) {
    // Kong answers nil for a function that it does not have. Functions outside of its PDK can raise.
    tellUnknown(name, channel);
    return { made: Promise.resolve() };
  }
  const fn = pdkFunction(name);
  const refusal = refusalOf(fn, channel);
  if (refusal !== null) throw refusal;
  const checked = checkedArguments(fn, channel, args);
  const made = inLog ? madeInLog(fn, channel, checked) : null;
  if (made !== null) return { made };
  return { args: fn.rest ? checked : args };
}

function tellUnknown(name: string, channel: PhaseChannel): void {
  const { row } = pdkFunction('kong.log.warn');
  channel.send(row, [`${name} is not a function of Kong's PDK, and is not called in the log phase`]);
}
