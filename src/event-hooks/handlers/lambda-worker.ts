/** Runs the Lua functions of one hook in a thread of its own, so that a busy function holds up no delivery. */
import { messageOf } from '../../base/errors.ts';
import { createLuaFunction, serveLuaThread } from '../../lua/index.ts';
import type { LambdaCall, LambdaReply, LambdaStart } from './lambda-protocol.ts';

const show = (value: unknown): string =>
  value == null ? 'nil' : (JSON.stringify(value) ?? typeof value).slice(0, 200);

serveLuaThread<LambdaStart, LambdaCall, LambdaReply>(async ({ functions, limits }) => {
  const loaded = await Promise.all(functions.map((source) => createLuaFunction(source, limits)));
  return async ({ payload, event, source, pid }, step) => {
    for (const [index, one] of loaded.entries()) {
      const which = `function ${String(index + 1)}`;
      step();
      try {
        const result = one.call(payload, event, source, pid);
        if (result !== true) return { error: `${which} returned ${show(result)} instead of true` };
      } catch (error) {
        return { error: `${which}: ${messageOf(error)}` };
      }
    }
    return { error: null };
  };
});
