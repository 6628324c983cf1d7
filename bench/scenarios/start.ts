import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ratios, summarize } from '../lib/statistics.ts';
import { startOurs, startPeer } from '../lib/servers.ts';
import type { Comparison, Context } from '../lib/context.ts';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** Wall time and peak memory of a whole process; the peak is read from /proc while it runs. */
async function whole(command: string[]): Promise<{ seconds: number; peak: number }> {
  const began = performance.now();
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'ignore'] });
  let peak = 0;
  const look = (): void => {
    try {
      const status = readFileSync(`/proc/${String(child.pid)}/status`, 'latin1');
      peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1000);
    } catch {
      // It has just ended.
    }
  };
  const timer = setInterval(look, 2);
  child.stdout.on('data', look);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearInterval(timer);
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${String(code)}`);
  return { seconds: (performance.now() - began) / 1000, peak };
}

/** dump as a whole process, and the time from exec to the first accepted connection. */
export async function start(context: Context): Promise<Comparison[]> {
  const dumps = await context.alternate(
    () => whole([path('../../bin/kong-ts.js'), 'dump', path('../plugins/ours/bench-protobuf.ts')]),
    () =>
      whole([
        path('../peer/node_modules/kong-pdk/bin/kong-js-pluginserver'),
        '--plugins-directory',
        path('../plugins/peer'),
        '--dump-all-plugins',
      ]),
  );
  const listening = await context.alternate(
    async () => {
      const server = await startOurs(context.folder, 'protobuf', 1);
      await server.stop();
      return server.listening / 1000;
    },
    async () => {
      const server = await startPeer(context.folder);
      await server.stop();
      return server.listening / 1000;
    },
  );
  const row = (name: string, unit: string, ours: number[], peer: number[], target: string): Comparison => ({
    name,
    unit,
    ours: summarize(ours),
    peer: summarize(peer),
    ratio: ratios(ours, peer),
    target,
    extra: {},
  });
  return [
    row(
      'dump, ours a .ts plugin, the peer a .js one',
      's',
      dumps.ours.map((d) => d.seconds),
      dumps.peer.map((d) => d.seconds),
      '0.15 s',
    ),
    row(
      'dump, peak memory',
      'MB',
      dumps.ours.map((d) => d.peak),
      dumps.peer.map((d) => d.peak),
      '90 MB',
    ),
    row('exec to listening', 's', listening.ours, listening.peer, '0.3 s'),
  ];
}
