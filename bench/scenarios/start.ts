import { execFileSync, spawn } from 'node:child_process';
import { closeSync, constants, existsSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ratios, summarize } from '../lib/statistics.ts';
import { startOurs, startPeer } from '../lib/servers.ts';
import type { Comparison, Context } from '../lib/context.ts';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/**
 * Wall time and peak memory of a whole process; the peak is read from /proc while it runs. Its output goes through a
 * pipe of the system, as Kong reads a query_cmd (popen): what Node calls a pipe is a socket, on which `kong-ts dump`
 * has to start itself a second time.
 */
async function whole(folder: string, command: string[]): Promise<{ seconds: number; peak: number }> {
  const pipe = join(folder, 'dump.pipe');
  if (!existsSync(pipe)) execFileSync('mkfifo', [pipe]);
  // Both ends, so that neither waits for the other; a dump is smaller than the pipe.
  const end = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
  const began = performance.now();
  const child = spawn(process.execPath, command, { stdio: ['ignore', end, 'ignore'] });
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
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  const seconds = (performance.now() - began) / 1000;
  clearInterval(timer);
  const printed = code === 0 ? readSync(end, Buffer.alloc(65_536)) : 0;
  closeSync(end);
  if (printed < 100)
    throw new Error(`${command.join(' ')} ended with ${String(code)}, ${String(printed)} bytes`);
  return { seconds, peak };
}

/** dump as a whole process, and the time from exec to the first accepted connection. */
export async function start(context: Context): Promise<Comparison[]> {
  const dumps = await context.alternate(
    () =>
      whole(context.folder, [
        path('../../bin/kong-ts.js'),
        'dump',
        path('../plugins/ours/bench-protobuf.ts'),
      ]),
    () =>
      whole(context.folder, [
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
      return server.listeningMs / 1000;
    },
    async () => {
      const server = await startPeer(context.folder);
      await server.stop();
      return server.listeningMs / 1000;
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
