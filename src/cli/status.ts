import { Command } from 'commander';
import type { ServerStatus } from '../server/admin/index.ts';
import { isHealthy } from '../server/admin/index.ts';
import { printable, printableJson } from '../terminal/index.ts';
import type { ControlFlags } from './control-option.ts';
import { controlSocket } from './control-option.ts';

export function build(): Command {
  return new Command('status')
    .description('show what a running server does; exit status 0 when it is healthy, 1 otherwise')
    .option('--socket <path>', 'the (first) socket of the server')
    .option('--control <path>', 'its control socket')
    .option('--json', 'print the whole status as JSON')
    .action(status);
}

async function status(flags: ControlFlags & { json?: boolean }): Promise<void> {
  const { askServer } = await import('../server/admin/index.ts');
  const current = (await askServer(controlSocket(flags), 'GET', '/status')) as ServerStatus;
  process.stdout.write(flags.json === true ? `${printableJson(current)}\n` : printable(text(current)));
  if (!isHealthy(current)) process.exitCode = 1;
}

function text(status: ServerStatus): string {
  const now = Date.now();
  const lines = [
    `${isHealthy(status) ? 'healthy' : 'not healthy'}, ${status.state}, process ${status.pid}, up ${age(now - status.startedAt)}`,
    ...status.sockets.map(
      ({ path, plugin }) => `socket   ${path}${plugin === null ? '' : ` (for ${plugin})`}`,
    ),
    ...status.plugins.map(
      ({ name, version, protocol, phases }) =>
        `plugin   ${name} ${version}, ${protocol}, ${phases.join(' ')}`,
    ),
    ...status.failures.map(({ spec, message }) => `failed   ${spec}: ${message}`),
    ...status.workers.map(
      (worker) =>
        `worker   ${worker.slot} ${worker.state}, process ${worker.pid ?? '-'}, up ${age(now - worker.startedAt)}, ` +
        `${worker.connections} connections, ${worker.events} events, ` +
        `${worker.rss === null ? '-' : Math.round(worker.rss / 1024 / 1024)} MiB`,
    ),
    `restarts ${Object.entries(status.restarts)
      .map(([reason, count]) => `${reason} ${count}`)
      .join(', ')}`,
    `instances ${status.instances}`,
    `event hooks ${status.eventHooks === null ? 'off' : `process ${status.eventHooks.pid ?? '-'}, Admin API ${status.eventHooks.admin ?? 'off'}`}`,
  ];
  return `${lines.join('\n')}\n`;
}

function age(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}
