import type { KongAdmin } from '../../kong-admin/index.ts';
import type { KongFacts } from '../versions.ts';
import { checkAdmin } from './check-admin.ts';
import type { DumpedPlugin } from './check-dump.ts';
import { checkDump } from './check-dump.ts';
import { checkEnvironment } from './check-environment.ts';
import { checkFiles } from './check-files.ts';
import { checkHealth } from './check-health.ts';
import { checkListed } from './check-listed.ts';
import { checkProperties } from './check-properties.ts';
import { checkProtocols } from './check-protocols.ts';
import { checkSocket } from './check-socket.ts';
import { checkStart } from './check-start.ts';
import type { Properties, ServerDefinition } from '../kong-conf.ts';
import { serversOf } from '../kong-conf.ts';
import type { KongEnvironment } from './environment.ts';
import { passedOn } from './environment.ts';
import type { Finding } from './finding.ts';
import { kongRunsIn } from './kong-process.ts';
import type { KongUser } from './permissions.ts';
import { readServeCommand, socketsOf } from './start-command.ts';

export interface DoctorOptions {
  readonly properties: Properties;
  readonly facts: KongFacts;
  /** The Admin API of the running Kong; null: it is not asked. */
  readonly admin: KongAdmin | null;
  readonly user: KongUser | null;
  /** The environment that Kong is started with. Default: none. */
  readonly environment?: KongEnvironment;
}

/** All checks, in the order in which Kong would meet the problems: configuration, dumps, servers, the running Kong. */
export async function examine(options: DoctorOptions): Promise<Finding[]> {
  const { properties, facts, admin, environment = {} } = options;
  const servers = serversOf(properties, facts);
  const findings = checkProperties(properties, servers, facts);
  const dumped = new Map<ServerDefinition, readonly DumpedPlugin[]>();
  for (const server of servers) {
    findings.push(...checkFiles(server, options.user));
    // Running a command that is known to be wrong would show nothing more.
    const dump = blamed(findings, `${server.prefix}_query_cmd`)
      ? { findings: [], plugins: [] }
      : await checkDump(server, facts);
    findings.push(...dump.findings);
    dumped.set(server, dump.plugins);
  }
  const names = [...dumped.values()].flat().map((plugin) => plugin.name);
  const unread = servers.filter((server) => dumped.get(server)?.length === 0).map((server) => server.name);
  findings.push(...checkListed(properties, names, unread), ...checkProtocols(dumped, facts));
  const running = admin === null ? null : await checkAdmin(admin, facts, names);
  const kongRuns = running?.answers === true || kongRunsIn(properties);
  const passed = passedOn(properties, environment);
  for (const server of servers) {
    findings.push(...checkEnvironment(server, environment, passed));
    if (!blamed(findings, `${server.prefix}_start_cmd`)) findings.push(...(await checkStart(server, passed)));
  }
  findings.push(...(await checkSockets(servers, dumped, { user: options.user, kongRuns })));
  return [...findings, ...(running?.findings ?? [])];
}

const blamed = (findings: readonly Finding[], subject: string): boolean =>
  findings.some((one) => one.level === 'error' && one.subject === subject);

/** Checks each socket once, however many names share it, and the server behind it. */
async function checkSockets(
  servers: readonly ServerDefinition[],
  dumped: ReadonlyMap<ServerDefinition, readonly DumpedPlugin[]>,
  context: { readonly user: KongUser | null; readonly kongRuns: boolean },
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const asked = new Map<string, DumpedPlugin[]>();
  for (const [socket, group] of Map.groupBy(servers, (server) => server.socket)) {
    const [first] = group;
    const starter = servers.find((server) => socketsOf(server.startCommand ?? '').includes(socket));
    const own = group.find((server) => server.startCommand !== null);
    const server = own ?? first;
    if (server === undefined) continue;
    const started = starter !== undefined || own !== undefined;
    findings.push(...(await checkSocket(server, { ...context, started })));
    const control = readServeCommand(starter?.startCommand ?? '')?.control ?? `${socket}.ctl`;
    const plugins = group.flatMap((one) => dumped.get(one) ?? []);
    asked.set(control, [...(asked.get(control) ?? []), ...plugins]);
  }
  for (const [control, plugins] of asked) findings.push(...(await checkHealth(control, plugins)));
  return findings;
}
