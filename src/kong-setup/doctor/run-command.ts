import { execFile } from 'node:child_process';

/** How long a command may take, in milliseconds. */
const timeoutMs = 20_000;
/** The most that is read of what it prints, in bytes. */
const maxBuffer = 16 * 1024 * 1024;
/** The PATH of Kong's commands. */
const searchPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  /** The exit status, or a text that says what ended the command. */
  readonly code: number | string;
}

/**
 * Runs a command as Kong does: `exec <command>` through a shell, in a folder of its own.
 * @param who `cli`: a query_cmd, which has the environment of `kong start`. `nginx`: a start_cmd, which has only PWD,
 * TZ and what `nginx_main_env` names (measured on Kong 3.9.3).
 */
export function runAsKong(
  command: string,
  who: 'cli' | 'nginx',
  variables: Readonly<Record<string, string>> = {},
): Promise<CommandResult> {
  const env = who === 'cli' ? { ...process.env, PATH: searchPath } : { PWD: '/', ...variables };
  return new Promise((resolve) => {
    execFile(
      '/bin/sh',
      ['-c', `exec ${command}`],
      { cwd: '/', timeout: timeoutMs, maxBuffer, env },
      (failure, stdout, stderr) => {
        const code =
          failure === null
            ? 0
            : failure.killed === true
              ? `a time-out after ${String(timeoutMs / 1000)} s`
              : (failure.code ?? 1);
        resolve({ stdout, stderr, code });
      },
    );
  });
}

/**
 * The line of an error output that says what is wrong. In a stack of Node's that is `SomeError: ...`. Else it is the
 * first line, where kong-ts says it, also when Node is too old for kong-ts.
 */
export function tellingLine(stderr: string): string {
  const lines = stderr
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return lines.find((line) => /^(Uncaught )?\w*Error( \[\w+\])?: /.test(line)) ?? lines[0] ?? '';
}
