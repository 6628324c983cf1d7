/**
 * The dispatcher of a plugin server, as a process of its own. The first line on standard output is `{"ready":true,"grpc":...,"admin":...}`
 * when it serves, the others are its log.
 */
import { messageOf } from '../base/errors.ts';
import { useOwnUmask } from '../unix/index.ts';
import { parseServeOptions } from './serve/options.ts';
import { runDispatcher } from './serve/run.ts';

useOwnUmask();
try {
  await runDispatcher(parseServeOptions(process.argv.slice(2), process.env, 'serve'));
} catch (error) {
  process.stderr.write(`kong-ts: ${messageOf(error)}\n`);
  process.exit(1);
}
