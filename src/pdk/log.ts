import { namespaces } from './catalogue.ts';
import type { PhaseChannel } from './channel.ts';
import type { Composed } from './compositions.ts';
import { answerTo, pdkFunction } from './functions.ts';
import { invoke, methodOf } from './methods.ts';
import type { LogApi } from './types/api-node.ts';
import type { FunctionRow } from './catalogue.ts';

/** `kong.log(...)` writes at level `notice`. */
export type PlainLog = (...values: unknown[]) => Promise<void>;

const plain = pdkFunction('kong.log');
const serialize = pdkFunction('kong.log.serialize');
const raw = { ...serialize, decode: textOf } as const;

/** As the last call of the handler. */
const lastRaw: Composed = (channel, args) =>
  channel.askLast === undefined ? answerTo(raw, channel, args) : channel.askLast(raw.row, args, raw.decode);

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** kong.log is a function with functions on it: they live on a prototype between it and Function's own. */
const prototype: object = Object.create(
  Function.prototype,
  Object.fromEntries(
    Object.entries({
      ...Object.fromEntries(
        Object.entries<Pick<FunctionRow, 'name'>>(namespaces['kong.log']).map(([name, spec]) => [
          name,
          methodOf(spec.name),
        ]),
      ),
      serializeRaw(this: { channel: PhaseChannel }, options?: { readonly last?: boolean }) {
        return invoke(raw, options?.last === true ? lastRaw : null, this.channel, []);
      },
    }).map(([name, value]) => [name, { value, writable: true }]),
  ),
) as object;

/** The `kong.log` of one event. */
export function createLog(channel: PhaseChannel): PlainLog & LogApi {
  const log = (...values: unknown[]) => invoke(plain, null, channel, values);
  Object.setPrototypeOf(log, prototype);
  return Object.assign(log, { channel }) as unknown as PlainLog & LogApi;
}
