import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ownModule, packageRoot } from '../../base/package.ts';

/** The command line's entry point. */
export const cliPath = fileURLToPath(new URL('bin/kong-ts.js', packageRoot));

const childPath = fileURLToPath(ownModule('./child', import.meta.url));

/** A `kong-ts` command that runs as a process of its own, its output in a file. */
export interface DemoProcess {
  readonly name: string;
  readonly log: string;
  /** Resolves with a description of the end. */
  readonly ended: Promise<string>;
  /** False once it has ended. */
  readonly running: () => boolean;
  /** Sends SIGTERM, and SIGKILL when the process is still there after ten seconds. */
  stop(): Promise<void>;
  /** The last lines of its output. */
  tail(lines: number): string;
}

const patienceMs = 10_000;

export function startProcess(name: string, args: readonly string[], log: string): DemoProcess {
  const output = openSync(log, 'a');
  const child: ChildProcess = spawn(process.execPath, [childPath, ...args], {
    // The input is never written to: its end tells the child that the demo is gone.
    stdio: ['pipe', output, output],
    // A Ctrl-C goes to the whole group of a terminal; the demo ends its processes itself, one after the other.
    detached: true,
  });
  closeSync(output);
  let running = true;
  const ended = new Promise<string>((resolve) => {
    const end = (text: string): void => {
      running = false;
      resolve(text);
    };
    child.once('error', (error) => end(`could not be started: ${error.message}`));
    child.once('exit', (code, signal) =>
      end(signal === null ? `ended with status ${code}` : `was ended by ${signal}`),
    );
  });
  return {
    name,
    log,
    ended,
    running: () => running,
    stop: async () => {
      if (!running) return;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
      await ended;
      clearTimeout(timer);
    },
    tail: (lines) => readFileSync(log, 'utf8').trimEnd().split('\n').slice(-lines).join('\n'),
  };
}
