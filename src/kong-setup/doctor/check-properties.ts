import { accessSync, constants } from 'node:fs';
import type { KongFacts } from '../versions.ts';
import type { Properties, ServerDefinition } from '../kong-conf.ts';
import type { Finding } from './finding.ts';
import { error, ok, warning } from './finding.ts';
import { socketsOf } from './start-command.ts';

const known = ['socket', 'query_cmd', 'start_cmd'];
const nearMisses: Readonly<Record<string, string>> = {
  sock: 'socket',
  socket_path: 'socket',
  query_command: 'query_cmd',
  query: 'query_cmd',
  start_command: 'start_cmd',
  start: 'start_cmd',
};

/** Checks what the properties alone show: names, spellings, commands, sockets, log level. */
export function checkProperties(
  properties: Properties,
  servers: readonly ServerDefinition[],
  facts: KongFacts,
): Finding[] {
  if (servers.length === 0) {
    return [
      error(
        'pluginserver_names',
        'No plugin server is configured.',
        'Set pluginserver_names; kong-ts kong-config prints all that is needed.',
      ),
    ];
  }
  return [
    ...checkSpelling(properties, servers),
    ...servers.flatMap((server) => checkCommands(server, facts)),
    ...checkSharedSockets(servers),
    ...checkLogLevel(properties),
  ];
}

function checkSpelling(properties: Properties, servers: readonly ServerDefinition[]): Finding[] {
  const prefixes = servers.map((server) => server.prefix);
  const findings: Finding[] = [];
  for (const key of properties.keys()) {
    if (!key.startsWith('pluginserver_') || key === 'pluginserver_names') continue;
    const right = prefixes.find((prefix) => known.some((suffix) => key === `${prefix}_${suffix}`));
    if (right !== undefined) continue;
    const dashed = key.replaceAll('-', '_');
    // Of the names `my` and `my-audit` the longer one is meant.
    const meant = prefixes
      .filter((prefix) => dashed.startsWith(`${prefix}_`))
      .toSorted((one, other) => other.length - one.length)[0];
    if (meant === undefined) {
      findings.push(
        warning(
          key,
          'No name in pluginserver_names has this property.',
          'Add the name to pluginserver_names, or remove the property. In property names "-" becomes "_".',
        ),
      );
      continue;
    }
    const suffix = dashed.slice(meant.length + 1);
    findings.push(
      error(
        key,
        'Kong does not know this property and ignores it.',
        `Write ${meant}_${nearMisses[suffix] ?? (known.includes(suffix) ? suffix : 'socket, _query_cmd or _start_cmd')}.`,
      ),
    );
  }
  return findings;
}

function checkCommands(server: ServerDefinition, facts: KongFacts): Finding[] {
  const findings: Finding[] = [];
  if (server.queryCommand === null) {
    findings.push(
      error(
        `${server.prefix}_query_cmd`,
        facts.manyPluginsPerServer
          ? `It is missing; Kong ${facts.version} does not load the plugins of this name without it.`
          : `It is missing; Kong ${facts.version} refuses to start without it.`,
        'Set it to an absolute command: /usr/local/bin/kong-ts dump /path/of/plugin.ts, or cat /path/plugin.json.',
      ),
    );
  }
  if (server.startCommand === null && !facts.externalServers) {
    findings.push(
      error(
        `${server.prefix}_start_cmd`,
        `It is missing; Kong ${facts.version} waits 20 s for such a server and then skips its plugins.`,
        'Give each name a start_cmd and a socket of its own (kong-ts kong-config prints them), or use Kong 3.5 or later.',
      ),
    );
  }
  for (const [what, command] of [
    ['query_cmd', server.queryCommand],
    ['start_cmd', server.startCommand],
  ] as const) {
    if (command !== null) findings.push(checkCommand(`${server.prefix}_${what}`, command));
  }
  const all = socketsOf(server.startCommand ?? '');
  const [served] = all;
  if (served !== undefined && !all.includes(server.socket)) {
    findings.push(
      error(
        `${server.prefix}_socket`,
        `Kong connects to ${server.socket}${server.socketIsDefault ? ' (its default)' : ''}, and start_cmd serves ${all.join(', ')}.`,
        `Set ${server.prefix}_socket = ${served}${served.endsWith('.sock') ? " (Kong's own default ends in .socket, not .sock)" : ''}.`,
      ),
    );
  }
  return findings;
}

/** Kong runs `exec <command>` through a shell with a short PATH, in a folder of its own (measured on Kong 3.9.3). */
function checkCommand(subject: string, command: string): Finding {
  const [first = ''] = command.trim().split(/\s+/);
  if (/^\w+=/.test(first)) {
    return error(
      subject,
      `It begins with a variable (${first}); Kong runs "exec ${first} ...", which is not a command.`,
      'Write env before it (/usr/bin/env VAR=1 ...), or put the variable into the environment of Kong.',
    );
  }
  if (/^(cd|source|\.|export|exec)$/.test(first) || /&&|\|\|?|;/.test(command)) {
    return error(
      subject,
      'It is a shell line; Kong runs it as one command with exec.',
      'Put the line into a script and give the absolute path of the script.',
    );
  }
  if (!first.startsWith('/')) {
    // `cat` is in every PATH that Kong uses.
    if (first === 'cat') return ok(subject, command);
    return error(
      subject,
      `"${first}" is a relative command, and Kong looks for it in a short PATH.`,
      `Give its absolute path (command -v ${first}).`,
    );
  }
  try {
    accessSync(first, constants.X_OK);
    return ok(subject, command);
  } catch {
    return error(
      subject,
      `${first} is not there or cannot be executed (as seen from here).`,
      'Give the path as Kong sees it; run kong-ts doctor where Kong runs.',
    );
  }
}

function checkSharedSockets(servers: readonly ServerDefinition[]): Finding[] {
  return [...Map.groupBy(servers, (server) => server.socket).values()].flatMap((sharing) => {
    const starting = sharing.filter((server) => server.startCommand !== null);
    if (starting.length < 2) return [];
    return [
      error(
        starting.map((server) => `${server.prefix}_start_cmd`).join(', '),
        `Several servers are started for one socket (${sharing[0]?.socket ?? ''}); each takes it from the other.`,
        'Keep start_cmd on one of them, with all plugins in it; the other names share its socket.',
      ),
    ];
  });
}

function checkLogLevel(properties: Properties): Finding[] {
  const level = properties.get('log_level') ?? 'notice';
  if (level === 'info' || level === 'debug')
    return [ok('log_level', `${level}: what plugin servers print is in error.log.`)];
  return [
    warning(
      'log_level',
      `${level}: what a plugin server prints goes to error.log at level info, so it is not seen.`,
      'Set log_level = info while you set things up.',
    ),
  ];
}
