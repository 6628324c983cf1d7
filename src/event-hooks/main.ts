/**
 * The dispatcher as a process of its own. Prints one JSON line `{"ready":true,"grpc":...,"admin":...}` on standard
 * output when it serves, then its log. SIGTERM and SIGINT end it in order.
 */
import { messageOf } from '../errors.ts';
import { parseServeOptions } from './serve/options.ts';
import { serveDispatcher } from './serve/serve.ts';

try {
  const options = parseServeOptions(process.argv.slice(2), process.env);
  const served = await serveDispatcher(options);
  process.stdout.write(`${JSON.stringify({ ready: true, grpc: served.grpc, admin: served.admin })}\n`);
  let ending = false;
  const end = (): void => {
    if (ending) return;
    ending = true;
    served.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`kong-ts: ${messageOf(error)}\n`);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  process.on('disconnect', end);
  if (options.exitWithStdin) process.stdin.on('end', end).on('error', end).resume();
} catch (error) {
  process.stderr.write(`kong-ts: ${messageOf(error)}\n`);
  process.exit(1);
}
