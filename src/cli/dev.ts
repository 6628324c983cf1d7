import { existsSync } from 'node:fs';
import path from 'node:path';
import { Command, Option } from 'commander';
import { KongTsError } from '../base/errors.ts';
import type { LogLevel } from '../server/index.ts';
import { logLevels } from '../server/index.ts';
import { useOwnUmask } from '../unix/index.ts';
import { findPlugins } from './dev/find-plugins.ts';
import type { Gateway } from './dev/gateway.ts';
import { SandboxGateway } from './dev/gateway.ts';
import { bracketed, choosePort } from './dev/ports.ts';
import type { SessionOptions } from './dev/session.ts';
import { DevSession } from './dev/session.ts';
import { DevTerminal } from './dev/terminal.ts';

interface Flags {
  config: string;
  kong: 'sandbox' | 'docker';
  image?: string;
  host: string;
  proxyPort?: string;
  adminPort?: string;
  eventHooksPort?: string;
  upstreamPort?: string;
  inspect?: string | true;
  dataDir?: string;
  logLevel: LogLevel;
}

const help = `
Without a plugin it takes those in ./plugins, else the package's own one. kong.yml is made when it is not there.
Each request is one line: what was asked and answered, then each plugin's phases with their time, the calls that Kong answered,
and the frames on the socket. Calls that kong-ts has merged are one call.

  kong-ts dev                      what lies in this project
  kong-ts dev ./hello.ts           one plugin
  kong-ts dev --inspect            breakpoints: attach a debugger to 127.0.0.1:9229
  kong-ts dev --kong docker        the same in front of a real Kong (needs Docker and the package testcontainers)`;

/** `kong-ts dev`: the plugin server, a gateway and an upstream on one terminal. */
export function build(): Command {
  return new Command('dev')
    .description('serve plugins behind a gateway on this machine, and take over what you save')
    .argument('[plugin...]', 'plugin files, package names or names of bundled plugins')
    .option('--config <file>', "Kong's declarative configuration", 'kong.yml')
    .addOption(
      new Option('--kong <what>', 'the gateway: kong-ts sandbox, or a real Kong in a container')
        .choices(['sandbox', 'docker'])
        .default('sandbox'),
    )
    .option('--image <image>', "Kong's image for --kong docker (KONG_IMAGE, else kong:3.9)")
    .option('--host <address>', 'the address to listen on', '127.0.0.1')
    .option('--proxy-port <port>', "the gateway's port (8000, or the next free one)")
    .option('--admin-port <port>', "the port of the gateway's Admin API (8001, or the next free one)")
    .option(
      '--event-hooks-port <port>',
      "the port of the event hooks' Admin API (8002, or the next free one)",
    )
    .option('--upstream-port <port>', 'the port of the echo upstream (9080)')
    .option('--inspect [host:port]', 'let a debugger attach to the plugins (127.0.0.1:9229)')
    .option('--data-dir <folder>', 'where plugins and event hooks keep data (a temporary folder)')
    .addOption(
      new Option('--log-level <level>', 'what plugins log at least').choices([...logLevels]).default('info'),
    )
    .addHelpText('after', help)
    .action(run);
}

async function run(plugins: string[], flags: Flags): Promise<void> {
  useOwnUmask();
  const terminal = new DevTerminal(process.stdout, process.cwd());
  const options = await compile(plugins, flags, terminal);
  const session = new DevSession(options, terminal);
  const signal = new Promise<null>((resolve) => {
    let hurry = false;
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(name, () => {
        if (hurry) {
          session.kill();
          process.exit(130);
        }
        hurry = true;
        resolve(null);
      });
  });
  const ended = session.ended.then((why) => {
    throw new KongTsError('PLUGIN_SERVER_UNREACHABLE', `The plugin server ${why}.`);
  });
  try {
    await Promise.race([signal, ended, session.start().then(() => signal)]);
    terminal.say('\nStopping.');
  } finally {
    ended.catch(() => undefined);
    await session.close();
  }
  process.exit(0);
}

/** @throws KongTsError USAGE, PORT_IN_USE, PLUGIN_NOT_FOUND, CONTAINERS_UNAVAILABLE */
async function compile(plugins: string[], flags: Flags, terminal: DevTerminal): Promise<SessionOptions> {
  const { host, kong } = flags;
  const specs = plugins.length > 0 ? plugins : findPlugins(process.cwd());
  const docker = kong === 'docker' ? await import('./dev/docker.ts') : null;
  await docker?.checkDocker();
  const taken = new Set<number>();
  const port = async (option: string, given: string | undefined, usual: number): Promise<number> => {
    const wanted = given === undefined ? usual : portOf(option, given);
    const chosen = await choosePort({ option, port: wanted, given: given !== undefined }, host, taken);
    taken.add(chosen);
    return chosen;
  };
  const config = path.resolve(flags.config);
  const upstreamHost = docker === null ? host : docker.bridgeAddress();
  // A kong.yml that is there names the port. In a new one it is a free one.
  const upstream =
    flags.upstreamPort === undefined && existsSync(config)
      ? 9080
      : await port('--upstream-port', flags.upstreamPort, 9080);
  // A container finds this machine by rewriting this address; the file then works without one, too.
  const upstreamUrl = `http://${docker === null ? bracketed(host) : '127.0.0.1'}:${String(upstream)}`;
  const ports = {
    proxy: await port('--proxy-port', flags.proxyPort, 8000),
    admin: await port('--admin-port', flags.adminPort, 8001),
  };
  const hooksAdmin = `${bracketed(host)}:${String(await port('--event-hooks-port', flags.eventHooksPort, 8002))}`;
  const inspect = flags.inspect === true ? '127.0.0.1:9229' : (flags.inspect ?? null);
  const gateway = (socket: string, folder: string): Gateway =>
    docker === null
      ? new SandboxGateway(
          {
            ...{ config, host, ports, socket, hooksAdmin, patient: inspect !== null },
            verbose: flags.logLevel === 'debug',
          },
          terminal,
        )
      : new docker.DockerGateway(
          { config, folder, image: flags.image ?? null, ports, upstreamPort: upstream },
          terminal,
        );
  return {
    ...{ plugins: specs, config, hooksAdmin, inspect, gateway, logLevel: flags.logLevel },
    upstream: { host: upstreamHost, port: upstream, url: upstreamUrl },
    dataDir: flags.dataDir ?? null,
    socketMode: docker === null ? '600' : '666',
  };
}

function portOf(option: string, text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= 65_535) return value;
  throw new KongTsError('USAGE', `${option} has to be a port from 1 to 65535, not "${text}".`);
}
