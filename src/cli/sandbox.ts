import { Command, Option } from 'commander';
import { messageOf } from '../base/errors.ts';
import type { LogLevel, Sandbox, SandboxLog } from '../sandbox/index.ts';
import { logLevels, startSandbox } from '../sandbox/index.ts';
import { logFormatOption, prettyLog } from './pretty-log.ts';
import type { SandboxFlags } from './sandbox-options.ts';
import { compileSandboxOptions } from './sandbox-options.ts';
import { printable } from '../terminal/index.ts';

const help = `
Plugin servers:
  --plugin-server NAME=SOCKET[,query=COMMAND][,dump=FILE][,start=COMMAND]
  query   prints the plugin's dump, such as "node bin/kong-ts.js dump ./hello.ts"; dump is a file with the same
  start   starts the server; without it the server runs on its own (kong-ts serve). As under Kong, it gets none of this
          environment but TZ and what --nginx-main-env names: no PATH, no HOME, no tokens

Kong's environment variables work, too; flags come first, then these, then --kong-conf: KONG_DECLARATIVE_CONFIG, KONG_PLUGINS,
KONG_PLUGINSERVER_NAMES, KONG_PLUGINSERVER_<NAME>_SOCKET, _QUERY_CMD and _START_CMD, KONG_PROXY_LISTEN,
KONG_ADMIN_LISTEN, KONG_STREAM_LISTEN, KONG_DATABASE, KONG_PREFIX, KONG_LOG_LEVEL, KONG_TRUSTED_IPS, KONG_NGINX_MAIN_ENV,
KONG_NGINX_WORKER_PROCESSES.

Signals:
  SIGHUP            read the configuration files again and start plugin servers anew, as kong reload
  SIGINT, SIGTERM   stop`;

export function build(): Command {
  return new Command('sandbox')
    .description(
      "run a development gateway that reads Kong's declarative configuration (never in production)",
    )
    .option('--config <file>', 'declarative configuration, repeatable: one file per workspace', collect, [])
    .option('--kong-conf <file>', 'a kong.conf; the properties listed below, as Kong names them')
    .option(
      '--proxy-listen <addresses>',
      'HOST:PORT, " ssl" after it for TLS, several with commas (127.0.0.1:8000)',
    )
    .option('--admin-listen <addresses>', 'Admin API, written the same way, or off (127.0.0.1:8001)')
    .option(
      '--allow-host <name>',
      'a further name that clients call the Admin API by, repeatable (web pages and foreign names are refused)',
      collect,
      [],
    )
    .option('--stream-listen <addresses>', 'TCP listeners, " ssl" after one for TLS (off)')
    .option('--plugin-server <definition>', 'a plugin server, repeatable; see below', collect, [])
    .option('--plugins <names>', 'plugins that may be used, with commas; bundled stands for key-auth')
    .option(
      '--nginx-main-env <names>',
      'variables that started plugin servers get: NAME or NAME=value, several as "A; env B=1" (none)',
    )
    .option('--strict', "refuse a configuration with plugins of Kong's own that the sandbox does not run")
    .option('--deck', 'read files for decK: _info, _workspace and _plugin_configs, which Kong refuses')
    .addOption(
      new Option('--database <kind>', 'off: the Admin API only reads, as a Kong without database').choices([
        'postgres',
        'off',
      ]),
    )
    .option('--event-hooks-admin <url>', 'where the Admin API forwards /event-hooks to')
    .option('--prefix <folder>', 'working folder (a temporary one)')
    .option('--workers <n>', 'nginx workers to simulate: each starts plugin instances of its own (1)')
    .option('--trusted-ips <ranges>', 'addresses or CIDR ranges whose X-Forwarded-* headers count')
    .addOption(new Option('--log-level <level>', 'what is logged (notice)').choices([...logLevels]))
    .addOption(logFormatOption('nginx', "as Kong's error log"))
    .addHelpText('after', help)
    .action(async ({ logFormat, ...flags }: SandboxFlags & { logFormat?: string }) => {
      const options = compileSandboxOptions(flags, process.env);
      await run(await startSandbox({ ...options, ...logOption(logFormat, options.logLevel) }));
    });
}

function collect(value: string, list: string[]): string[] {
  return [...list, value];
}

/** Nothing: the sandbox writes as nginx does. */
function logOption(format: string | undefined, level: LogLevel = 'notice'): { log?: SandboxLog } {
  const write = prettyLog(format, process.stderr);
  if (write === null) return {};
  const loudest = logLevels.indexOf(level);
  return {
    log: (each, message) => {
      if (logLevels.indexOf(each) <= loudest) write(each, message);
    },
  };
}

/** Prints where the sandbox listens, and runs until a signal ends it. */
async function run(sandbox: Sandbox): Promise<void> {
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  say('kong-ts sandbox: for development only, never put it in front of real traffic.');
  if (sandbox.proxyUrl !== null) say(`proxy      ${sandbox.proxyUrl}`);
  if (sandbox.proxyTlsUrl !== null) say(`proxy TLS  ${sandbox.proxyTlsUrl}`);
  if (sandbox.adminUrl !== null) say(`Admin API  ${sandbox.adminUrl}`);
  if (sandbox.adminTlsUrl !== null) say(`Admin TLS  ${sandbox.adminTlsUrl}`);
  for (const port of sandbox.streamPorts) say(`stream     port ${String(port)}`);
  process.on('SIGHUP', () => {
    sandbox.reload().then(
      () => say('reloaded'),
      (error: unknown) => process.stderr.write(printable(`kong-ts: not reloaded: ${messageOf(error)}\n`)),
    );
  });
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  await sandbox.close();
}
