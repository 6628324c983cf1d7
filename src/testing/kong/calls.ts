import { messageOf } from '../../base/errors.ts';
import type { FunctionRow } from '../../pdk/index.ts';
import { nameOfKept, pdkFunction, rowByName } from '../../pdk/index.ts';
import { PdkExit, PdkRejection, callFunction } from '../../kong-end/index.ts';
import type { AnswerCall, PdkCall } from '../../kong-end/index.ts';
import type { Answer, CompiledOverrides } from '../overrides.ts';
import { testPath, wireValue } from '../overrides.ts';
import type { CallView } from '../results.ts';

type MutableCall = { -readonly [Field in keyof CallView]: CallView[Field] };

/** The calls of one event, in the order in which they were answered. */
export class CallRecorder {
  readonly calls: MutableCall[] = [];

  /** Notes a call that is being answered. */
  begin(row: FunctionRow | null, name: string, args: readonly unknown[], overridden: boolean): MutableCall {
    const call: MutableCall = {
      function: testPath(row, name),
      arguments: args,
      result: undefined,
      error: null,
      overridden,
    };
    this.calls.push(call);
    return call;
  }

  /** Answers calls as Kong does, or as the overrides say, and notes them. */
  answering(pdk: PdkCall, overrides: CompiledOverrides): AnswerCall {
    return async (name, args) => {
      const row = rowByName(name);
      // A plugin has set it under its own name, and that call is noted.
      const kept = nameOfKept(args[0]);
      if (kept !== null && row?.result.kind === 'void') return callFunction(pdk, name, args);
      const asked = kept === null ? args : [kept];
      const override = overrides.wire.get(name);
      const call = this.begin(row, name, asked, override !== undefined);
      try {
        const value: unknown =
          override === undefined || row === null
            ? await callFunction(pdk, name, args)
            : await overridden(row, override, asked, pdk);
        call.result = seenByPlugin(row, value);
        return value;
      } catch (error) {
        if (!(error instanceof PdkExit)) call.error = messageOf(error);
        throw error;
      }
    };
  }
}

/** @throws PdkRejection when the override throws, and where Kong itself would refuse the phase */
async function overridden(
  row: FunctionRow,
  override: Answer,
  args: readonly unknown[],
  { phase, protocol }: PdkCall,
): Promise<unknown> {
  if (!row.phases[protocol].includes(phase)) {
    throw new PdkRejection(`${row.name}: function cannot be called in ${phase} phase`);
  }
  try {
    return wireValue(row, await override(...(args as never[])), protocol);
  } catch (error) {
    throw new PdkRejection(`${row.name}: ${messageOf(error)}`, { cause: error });
  }
}

/** What the PDK makes of Kong's answer. */
function seenByPlugin(row: FunctionRow | null, value: unknown): unknown {
  if (row === null) return value;
  if (row.result.kind === 'rawBody' && typeof value === 'object' && value !== null && 'content' in value) {
    return value.content;
  }
  return pdkFunction(row.name).decode(value);
}
