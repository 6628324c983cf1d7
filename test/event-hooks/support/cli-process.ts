import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { cliPath } from '../../support/run-cli.ts';

/** A `kong-ts` command that goes on running. */
export class CliProcess {
  readonly lines: string[] = [];
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /**
   * Starts it and waits for a line.
   * @returns the process, and what the pattern's first group has found
   */
  static async start(
    args: readonly string[],
    ready: RegExp,
    env: Record<string, string> = {},
  ): Promise<{ cli: CliProcess; found: string }> {
    const child = spawn(process.execPath, [cliPath, ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const cli = new CliProcess(child);
    let problem = '';
    child.stderr.on('data', (chunk: Buffer) => (problem += chunk.toString()));
    const found = await new Promise<string>((resolve, reject) => {
      child.once('exit', (code) => {
        reject(new Error(`kong-ts ${args.join(' ')} ended with ${String(code)}: ${problem}`));
      });
      createInterface({ input: child.stdout }).on('line', (line) => {
        cli.lines.push(line);
        const match = ready.exec(line);
        if (match !== null) resolve(match[1] ?? '');
      });
    });
    return { cli, found };
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.kill(signal);
      await ended;
    }
    return this.#child.exitCode;
  }
}
