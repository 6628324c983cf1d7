import { KongTsError } from '../base/errors.ts';
import type { FunctionRow } from './catalogue.ts';
import type { ContextValues, PhaseChannel } from './channel.ts';
import { isPlainInKong } from './ctx-keys.ts';
import { answerTo, pdkFunction } from './functions.ts';
import type { PdkFunction } from './functions.ts';
import { canBeSent } from './json-values.ts';

/**
 * Values in a request's context: `kong.ctx.shared` and nginx's own.
 *
 * Kong raises when it cannot send one: a function, a table that holds itself. Nothing outside of Kong can know before it
 * asks. In the log phase a raise leaves the request behind for handlers of later ones (measured on Kong 3.9.3). So what a
 * plugin sets is set under a second name as well, which no Lua plugin knows, and the log phase asks for that one.
 */
const prefix = 'kong-ts.log.';

const setters: ReadonlySet<string> = new Set(['kong.ctx.shared.set', 'kong.nginx.set_ctx']);
const getters: ReadonlySet<string> = new Set(['kong.ctx.shared.get', 'kong.nginx.get_ctx']);

/** The name under which a value is kept for the log phase. */
export function keptName(key: string): string {
  return `${prefix}${key}`;
}

/** The name that the plugin used, null if a name is none under which values are kept. */
export function nameOfKept(key: unknown): string | null {
  return typeof key === 'string' && key.startsWith(prefix) ? key.slice(prefix.length) : null;
}

/** Sets a value a second time, for the log phase, if a call has set one. */
export function keepValue(row: FunctionRow, channel: PhaseChannel, [key, value]: readonly unknown[]): void {
  if (!setters.has(row.name) || typeof key !== 'string') return;
  if (channel.context?.keep(key) === true) channel.send(row, [keptName(key), value ?? null]);
}

/** As `keepValue`, for a call whose arguments nobody has checked: what not every protocol can send is not kept. */
export function keepUnchecked(row: FunctionRow, channel: PhaseChannel, args: readonly unknown[]): void {
  const [key, value] = args;
  if (!setters.has(row.name) || channel.ended) return;
  keepValue(row, channel, [key, canBeSent(value) ? value : null]);
}

/**
 * The answer to a getter in the log phase: what plugins of this server have set, or what is there if the author vouches
 * for it. Null for every other call, and for names under which Kong keeps text, numbers and booleans only.
 * @throws KongTsError PDK_NOT_IN_PHASE if Kong has not answered for this name before
 */
export function valueInLog(
  fn: PdkFunction,
  channel: PhaseChannel,
  [key]: readonly unknown[],
): Promise<unknown> | null {
  if (!getters.has(fn.row.name)) return null;
  const name = String(key);
  if (fn.row.name === 'kong.nginx.get_ctx' && isPlainInKong(name)) return null;
  const { context } = channel;
  // Whoever keeps nothing asks for what is there.
  if (context === undefined) return null;
  if (context.vouched.has(name)) return vouchedValue(fn, channel, context, name);
  const kept = answerTo(fn, channel, [keptName(name)]);
  return kept.then((value) => {
    if (value === null) context.missed(fn.row.path, name);
    return value;
  });
}

async function vouchedValue(
  fn: PdkFunction,
  channel: PhaseChannel,
  { unanswered }: ContextValues,
  name: string,
): Promise<unknown> {
  if (unanswered.has(name)) throw unansweredRefusal(fn.row, name);
  try {
    return await answerTo(fn, channel, [name]);
  } catch (error) {
    if (error instanceof KongTsError && error.code === 'PDK_CALL_FAILED') unanswered.add(name);
    throw error;
  }
}

function unansweredRefusal({ path }: FunctionRow, name: string): KongTsError {
  return new KongTsError(
    'PDK_NOT_IN_PHASE',
    `${path}() is not called for "${name}" in the log phase any more: Kong has not answered it, as happens when it cannot send the value.`,
    { fix: `Take "${name}" out of readsInLog, or let what sets it set text, numbers or plain tables.` },
  );
}

/** kong.ctx.shared.set and kong.nginx.setCtx: what is set, and what is kept. */
export function setValue(
  name: string,
): (channel: PhaseChannel, args: readonly unknown[]) => Promise<undefined> {
  return (channel, args) => {
    const { row } = pdkFunction(name);
    channel.send(row, args);
    keepValue(row, channel, args);
    return Promise.resolve(undefined);
  };
}
