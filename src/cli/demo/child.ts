/**
 * A `kong-ts` command as a part of the demo. It ends in order when its standard input ends. The input ends whenever the
 * demo is gone, also by `kill -9`.
 */
import { main } from '../main.ts';

const end = (): void => void process.kill(process.pid, 'SIGTERM');
process.stdin.on('end', end).on('error', end).resume();
// A command that fails ends by itself, although nobody has closed the input.
if ('unref' in process.stdin) process.stdin.unref();

await main(process.argv.slice(2));
