import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const ownModules = path.join(root, 'node_modules');

/** What this process was started with is not what a person has: npm's variables, our own Node before the machine's. */
function cleanEnvironment(before: readonly string[]): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) =>
      !/^(?:npm_(?:lifecycle|package|command|execpath|node)|NODE_|VITEST|KONG_|INIT_CWD|FORCE_COLOR|TEST$|DEV$|PROD$|MODE$|SSR$)/.test(
        name,
      ),
  );
  const folders = (process.env['PATH'] ?? '')
    .split(path.delimiter)
    .filter((each) => !each.includes('node_modules'));
  return { ...Object.fromEntries(kept), PATH: [...before, ...folders].join(path.delimiter), NO_COLOR: '1' };
}

/** Somebody with a terminal in an empty folder, and one Node. */
export class Person {
  readonly folder: string;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #running = new Set<ChildProcess>();

  /** @param node `own`: the one of the machine; `24`: the one that this project brings */
  constructor(node: 'own' | '24') {
    this.folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'kong-ts-newcomer-')));
    const before: string[] = [];
    if (node === '24') {
      const bin = path.join(this.folder, 'bin');
      mkdirSync(bin);
      symlinkSync(path.join(ownModules, '.bin', 'node'), path.join(bin, 'node'));
      before.push(bin);
    }
    this.#environment = cleanEnvironment(before);
  }

  /** Runs a command and waits for its end. @throws Error with its output if it fails */
  async run(command: string, cwd = this.folder): Promise<string> {
    const { child, output } = this.start(command, cwd);
    const [status] = (await once(child, 'close')) as [number | null];
    if (status === 0) return output();
    throw new Error(`${command}\nended with ${String(status)}:\n${output()}`);
  }

  start(command: string, cwd = this.folder): { child: ChildProcess; output: () => string } {
    // A group of its own, as a terminal gives one: Ctrl-C goes to all of it.
    const child = spawn('/bin/sh', ['-c', command], {
      cwd,
      env: this.#environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#running.add(child);
    child.once('close', () => this.#running.delete(child));
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (part: string) => (text += part));
    return { child, output: () => text };
  }

  /** Ctrl-C in its terminal. */
  async interrupt(child: ChildProcess): Promise<void> {
    const closed = once(child, 'close');
    process.kill(-(child.pid ?? 0), 'SIGINT');
    await closed;
  }

  async leave(): Promise<void> {
    for (const child of this.#running) await this.interrupt(child);
    if (existsSync(this.folder)) rmSync(this.folder, { recursive: true, force: true });
  }
}
