import type { SandboxLog } from '../../kong-end/index.ts';
import type { LogLevelName, LogView } from '../results.ts';

/** The lines of all logs that a test sees, in order. */
export class LogLines {
  readonly #lines: LogView[] = [];

  /** A log of Kong's: lines of kong.log are the plugin's and lose Kong's prefix. */
  readonly kong: SandboxLog = (level, message) => {
    const own = /^\[kong\] \[[^\]]*\] ([^]*)$/.exec(message)?.[1];
    this.add(level, own ?? message, own === undefined ? 'kong' : 'plugin', {});
  };

  add(
    level: LogLevelName,
    message: string,
    from: LogView['from'],
    fields: Readonly<Record<string, unknown>>,
  ): void {
    this.#lines.push({ level, message, from, fields });
  }

  get length(): number {
    return this.#lines.length;
  }

  /** The lines since there were that many. */
  since(length: number): LogView[] {
    return this.#lines.slice(length);
  }
}
