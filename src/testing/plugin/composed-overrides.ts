import { KongTsError, messageOf } from '../../base/errors.ts';
import type { FunctionRow, PhaseChannel, KongApi } from '../../pdk/index.ts';
import { checkedArguments, pdkFunction, refusalOf } from '../../pdk/index.ts';
import type { CallRecorder } from '../kong/calls.ts';
import type { Answer } from '../overrides.ts';

/**
 * Puts overrides in the place of functions that the PDK makes of others: Kong never sees a call of them. Phase and
 * arguments are checked as usual.
 */
export function overrideComposed(
  kong: KongApi,
  channel: PhaseChannel,
  overrides: ReadonlyMap<FunctionRow, Answer>,
  recorder: () => CallRecorder | null,
): KongApi {
  for (const [row, answer] of overrides) {
    const names = row.path.split('.').slice(1);
    const last = names.pop() as string;
    const owner = names.reduce<object>(ownMember, kong);
    Object.defineProperty(owner, last, {
      configurable: true,
      value: (...given: unknown[]) => replaced(row, channel, answer, given, recorder()),
    });
  }
  return kong;
}

/** A namespace of the PDK, kept on its parent: some are made anew each time they are asked for. */
function ownMember(parent: object, name: string): object {
  const value = (parent as Record<string, object>)[name] as object;
  Object.defineProperty(parent, name, { configurable: true, value });
  return value;
}

async function replaced(
  row: FunctionRow,
  channel: PhaseChannel,
  answer: Answer,
  given: readonly unknown[],
  recorder: CallRecorder | null,
): Promise<unknown> {
  const fn = pdkFunction(row.name);
  const refusal = refusalOf(fn, channel);
  if (refusal !== null) throw refusal;
  checkedArguments(fn, channel, given);
  const call = recorder?.begin(row, row.name, given, true);
  try {
    const result = await answer(...(given as never[]));
    if (call !== undefined) call.result = result;
    return result;
  } catch (cause) {
    if (call !== undefined) call.error = messageOf(cause);
    throw new KongTsError('PDK_CALL_FAILED', `${row.path}() failed: ${messageOf(cause)}`, { cause });
  }
}
