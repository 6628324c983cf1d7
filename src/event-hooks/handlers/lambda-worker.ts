/** Runs the Lua functions of one hook in a thread of its own, so that a busy function holds up no delivery. */
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../errors.ts';
import { createLuaFunction } from '../../lua/index.ts';
import type { LambdaCall, LambdaReply, LambdaStart } from './lambda-protocol.ts';

const { functions, limits } = workerData as LambdaStart;
const loading = Promise.all(functions.map((source) => createLuaFunction(source, limits)));

async function run({ payload, event, source, pid }: LambdaCall): Promise<string | null> {
  for (const [index, one] of (await loading).entries()) {
    const which = `function ${String(index + 1)}`;
    try {
      const result = one.call(payload, event, source, pid);
      if (result !== true) return `${which} returned ${show(result)} instead of true`;
    } catch (error) {
      return `${which}: ${messageOf(error)}`;
    }
  }
  return null;
}

const show = (value: unknown): string =>
  value == null ? 'nil' : (JSON.stringify(value) ?? typeof value).slice(0, 200);

parentPort?.on('message', (call: LambdaCall) => {
  const reply = (error: string | null): void => {
    parentPort?.postMessage({ number: call.number, error } satisfies LambdaReply);
  };
  run(call).then(reply, (error: unknown) => {
    reply(messageOf(error));
  });
});
