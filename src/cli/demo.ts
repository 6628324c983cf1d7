import { Command } from 'commander';
import { KongTsError } from '../base/errors.ts';
import { startDemo } from './demo/demo.ts';
import type { DemoOptions } from './demo/demo.ts';

interface Flags {
  host: string;
  proxyPort: string;
  adminPort: string;
  upstreamPort: string;
  eventHooksPort: string;
  dataDir?: string;
}

/** `kong-ts demo` (`npm start`): everything on this machine, in real processes. */
export function build(): Command {
  return new Command()
    .description(
      'Start a demo of everything: the sandbox gateway with two workspaces, a plugin server with ' +
        'http-log-enterprise and the event hook dispatcher, an upstream that also receives, and one webhook that ' +
        'sees the traffic of both workspaces. Ctrl-C ends all of it.',
    )
    .option('--host <address>', 'the address to listen on', '127.0.0.1')
    .option('--proxy-port <port>', "the gateway's port", '8000')
    .option('--admin-port <port>', "the port of the gateway's Admin API", '8001')
    .option('--event-hooks-port <port>', "the port of the event hook dispatcher's Admin API", '8002')
    .option('--upstream-port <port>', 'the port of the upstream and receiver', '9080')
    .option('--data-dir <folder>', 'keep logs, sockets and event hooks there (default: a temporary folder)')
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  // The handlers are set before anything starts: a signal must not leave processes behind.
  const stopping = new AbortController();
  const signal = new Promise<null>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(name, () => {
        stopping.abort();
        resolve(null);
      });
    }
  });
  const demo = await startDemo(compile(flags), stopping.signal);
  if (demo === null) process.exit(0);
  process.stdout.write(demo.instructions);
  const failure = await Promise.race([signal, demo.failed]);
  process.stdout.write('\nStopping.\n');
  await demo.stop();
  if (failure !== null) process.stderr.write(`kong-ts: ${failure.message}\n`);
  process.exit(failure === null ? 0 : 1);
}

function compile(flags: Flags): DemoOptions {
  const chosen = new Map<string, string>();
  for (const [option, value] of [
    ['--proxy-port', flags.proxyPort],
    ['--admin-port', flags.adminPort],
    ['--event-hooks-port', flags.eventHooksPort],
    ['--upstream-port', flags.upstreamPort],
  ] as const) {
    const other = chosen.get(value);
    if (other !== undefined) {
      throw new KongTsError(
        'USAGE',
        `${option} and ${other} are both ${value}: each needs a port of its own.`,
      );
    }
    chosen.set(value, option);
  }
  return {
    host: flags.host,
    ports: {
      proxy: port('--proxy-port', flags.proxyPort),
      admin: port('--admin-port', flags.adminPort),
      eventHooks: port('--event-hooks-port', flags.eventHooksPort),
      upstream: port('--upstream-port', flags.upstreamPort),
    },
    dataDir: flags.dataDir ?? null,
  };
}

function port(option: string, text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= 65_535) return value;
  throw new KongTsError('USAGE', `${option} has to be a port from 1 to 65535, not "${text}".`);
}
