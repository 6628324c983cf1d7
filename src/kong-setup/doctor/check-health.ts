import { existsSync } from 'node:fs';
import { messageOf } from '../../base/errors.ts';
import type { DumpedPlugin } from './check-dump.ts';
import type { Finding } from './finding.ts';
import { error, ok, warning } from './finding.ts';
import type { ServerHealth } from './server-status.ts';
import { askHealth } from './server-status.ts';

/** A server on a busy machine is slow, and not silent. */
const defaultTimeoutMs = 5000;

/**
 * Asks the server behind a socket whether its plugins have loaded, and whether it serves what the dumps tell Kong.
 * @param control its control socket. Where nothing is there, the server is not kong-ts, or has no control socket.
 * @param dumped the plugins that Kong asks this server for
 * @param timeoutMs how long the server may take to answer
 */
export async function checkHealth(
  control: string,
  dumped: readonly DumpedPlugin[],
  timeoutMs = defaultTimeoutMs,
): Promise<Finding[]> {
  if (!existsSync(control)) return [];
  let health: ServerHealth;
  try {
    health = await askHealth(control, timeoutMs);
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === 'TimeoutError') return [silent(control, timeoutMs)];
    return [
      warning(
        control,
        `The server does not say how it is: ${messageOf(thrown)}.`,
        'Run kong-ts doctor as the user that runs the server, or as root.',
      ),
    ];
  }
  const findings = [
    ...health.failures.map(({ spec, message }) =>
      error(
        control,
        `The server cannot load ${spec}: ${message}`,
        'Mend the plugin, then run kong-ts reload --socket with the socket of the server.',
      ),
    ),
    ...dumped.flatMap((plugin) => checkServed(control, plugin, health)),
  ];
  if (!health.ready) {
    findings.push(
      error(
        control,
        'The server has no worker that serves.',
        'Look into what it has printed for the reason.',
      ),
    );
  }
  const served = health.plugins.map((plugin) => plugin.name).join(', ');
  return findings.length > 0 ? findings : [ok(control, `The server serves ${served}.`)];
}

function silent(control: string, timeoutMs: number): Finding {
  return error(
    control,
    `The server takes connections and has said nothing for ${String(timeoutMs / 1000)} s: it stands still, and so do requests that need its plugins.`,
    'Look into what it has printed, then stop and start it.',
  );
}

function checkServed(control: string, dumped: DumpedPlugin, { plugins }: ServerHealth): Finding[] {
  const served = plugins.find((plugin) => plugin.name === dumped.name);
  if (served === undefined) {
    return [
      error(
        control,
        `The server does not serve ${dumped.name}, which its dump tells Kong of.`,
        'Add the plugin to the words of kong-ts serve (start_cmd), and start the server anew.',
      ),
    ];
  }
  if (served.fingerprint === null || served.fingerprint === dumped.fingerprint) return [];
  return [
    error(
      control,
      `The dump of ${dumped.name} is not that of the plugin that is served: protocol, version, priority, phases or schema differ.`,
      'Write the dump anew where query_cmd is cat, run kong-ts reload for the server, and restart Kong.',
    ),
  ];
}
