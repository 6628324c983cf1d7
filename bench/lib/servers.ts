import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** A plugin server under test: its process, its socket, and what the operating system says of it. */
export class ServerUnderTest {
  readonly name: string;
  readonly socket: string;
  /** Milliseconds from the start of the process to the first accepted connection. */
  readonly listeningMs: number;
  readonly #child: ChildProcess;

  private constructor(name: string, socket: string, child: ChildProcess, listeningMs: number) {
    this.name = name;
    this.socket = socket;
    this.#child = child;
    this.listeningMs = listeningMs;
  }

  /** @param environment what is added to this process's environment */
  static async start(
    name: string,
    socket: string,
    command: string[],
    environment: Record<string, string> = {},
  ): Promise<ServerUnderTest> {
    const began = performance.now();
    const child = spawn(process.execPath, command, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, ...environment },
    });
    await reachable(socket, child);
    return new ServerUnderTest(name, socket, child, performance.now() - began);
  }

  /** The processes of the server, its own first. */
  pids(): number[] {
    return tree(this.#child.pid ?? 0);
  }

  /** CPU seconds and resident bytes of the whole process tree, from /proc. */
  usage(): { cpu: number; rss: number } {
    const total = { cpu: 0, rss: 0 };
    for (const pid of this.pids()) {
      const fields = fieldsOf(pid);
      // It has ended since it was listed.
      if (fields === null) continue;
      total.cpu += (Number(fields[11]) + Number(fields[12])) / 100;
      total.rss += Number(fields[21]) * 4096;
    }
    return total;
  }

  /** Resolves when its processes have started: they spend next to nothing any more. It waits 20 s at most. */
  async quiet(): Promise<void> {
    let before = this.usage().cpu;
    for (let look = 0, still = 0; look < 100 && still < 3; look += 1) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      const now = this.usage().cpu;
      still = now - before < 0.02 ? still + 1 : 0;
      before = now;
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGTERM');
    // The peer has no handler that waits; ours drains. Neither needs longer than this.
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 5000);
    await gone;
    clearTimeout(timer);
  }
}

/** CPU seconds that a process has used until now. */
export function cpuOf(pid: number): number {
  const fields = fieldsOf(pid) ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** What the system says of a process, after its name; null without such a process. */
function fieldsOf(pid: number): string[] | null {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}

async function reachable(socket: string, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null)
      throw new Error(`the server ended with ${String(child.exitCode)} before it listened`);
    const ok = await new Promise<boolean>((resolve) => {
      const probe = connect(socket);
      probe.once('connect', () => resolve(true)).once('error', () => resolve(false));
      probe.once('connect', () => probe.destroy());
    });
    if (ok) return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

function tree(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'latin1');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
    } catch {
      // The process ended while we looked.
    }
  }
  const found: number[] = [];
  const visit = (pid: number): void => {
    found.push(pid);
    for (const child of children.get(pid) ?? []) visit(child);
  };
  visit(root);
  return found;
}

/** Our server as users run it, with the benchmark's plugin for one protocol, or with those for both. */
export function startOurs(
  folder: string,
  protocol: 'protobuf' | 'msgpack' | 'mixed',
  workers: number,
  merge = true,
  plugins = (protocol === 'mixed' ? ['msgpack', 'protobuf'] : [protocol]).map((each) =>
    path(`../plugins/ours/bench-${each}.ts`),
  ),
): Promise<ServerUnderTest> {
  const socket = join(folder, `ours-${protocol}-${String(workers)}-${merge ? 'merged' : 'singly'}.socket`);
  return ServerUnderTest.start('kong-ts', socket, [
    path('../../bin/kong-ts.js'),
    'serve',
    ...plugins,
    '--socket',
    socket,
    '--workers',
    String(workers),
    ...(merge ? [] : ['--no-merge']),
  ]);
}

/** kong-pdk 0.6.0 from its npm package, as its users run it. */
export function startPeer(folder: string): Promise<ServerUnderTest> {
  return ServerUnderTest.start('kong-pdk', join(folder, 'peer.socket'), [
    path('../peer/node_modules/kong-pdk/bin/kong-js-pluginserver'),
    '--plugins-directory',
    path('../plugins/peer'),
    '--kong-prefix',
    folder,
    '--sock-name',
    'peer.socket',
  ]);
}
