import type { KongAdmin } from '../../kong-admin/client.ts';
import type { KongFacts } from '../versions.ts';
import { checkAdmin } from './check-admin.ts';
import { checkDump } from './check-dump.ts';
import { checkFiles } from './check-files.ts';
import { checkListed, checkProperties } from './check-properties.ts';
import { checkSocket } from './check-socket.ts';
import { serversOf, type Properties } from './configuration.ts';
import type { Finding } from './finding.ts';
import type { KongUser } from './permissions.ts';

export interface DoctorOptions {
  readonly properties: Properties;
  readonly facts: KongFacts;
  /** Asked about the running Kong; null where it is not to be asked. */
  readonly admin: KongAdmin | null;
  readonly user: KongUser | null;
}

/** All checks, in the order in which Kong would meet the problems: configuration, dumps, sockets, the running Kong. */
export async function examine(options: DoctorOptions): Promise<Finding[]> {
  const servers = serversOf(options.properties, options.facts);
  const findings = checkProperties(options.properties, servers, options.facts);
  const plugins: string[] = [];
  for (const server of servers) {
    findings.push(...checkFiles(server, options.user));
    const dump = await checkDump(server, options.facts);
    findings.push(...dump.findings, ...dump.plugins.map((name) => checkListed(options.properties, name)));
    plugins.push(...dump.plugins);
  }
  for (const group of Map.groupBy(servers, (server) => server.socket).values()) {
    // A shared socket is started by one of its names: that one's start_cmd is what to look at.
    const server = group.find((one) => one.startCommand !== null) ?? group[0];
    if (server !== undefined) findings.push(...(await checkSocket(server, options.user)));
  }
  if (options.admin !== null) findings.push(...(await checkAdmin(options.admin, options.facts, plugins)));
  return findings;
}
