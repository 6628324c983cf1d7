import type { KongFacts } from '../versions.ts';
import type { DumpedPlugin } from './check-dump.ts';
import type { ServerDefinition } from '../kong-conf.ts';
import type { Finding } from './finding.ts';
import { error, warning } from './finding.ts';

/**
 * Finds sockets that names of both protocols share. Kong pools its connections by the path of the socket alone
 * (measured on 3.9.3), so calls of one protocol arrive on connections that were used for the other.
 */
export function checkProtocols(
  dumped: ReadonlyMap<ServerDefinition, readonly DumpedPlugin[]>,
  facts: KongFacts,
): Finding[] {
  const sockets = Map.groupBy(dumped.keys(), (server) => server.socket);
  return [...sockets].flatMap(([socket, servers]) => {
    const protocols = new Set(
      servers.flatMap((server) => dumped.get(server) ?? []).map((one) => one.protocol),
    );
    if (protocols.size < 2) return [];
    const says = `Plugins of ${[...protocols].join(' and ')} share it, and Kong sends calls of both over one connection.`;
    const fix =
      'Give each protocol a socket of its own: kong-ts serve takes --socket repeatedly, and kong-ts kong-config prints the settings.';
    // kong-ts tells the protocols apart at each call. That was measured on Kong 3.9 alone.
    return [facts.manyPluginsPerServer ? error(socket, says, fix) : warning(socket, says, fix)];
  });
}
