/** nginx's levels, the loud ones first. */
export const logLevels = ['emerg', 'alert', 'crit', 'error', 'warn', 'notice', 'info', 'debug'] as const;

export type LogLevel = (typeof logLevels)[number];

/** Writes what Kong writes to its error log. */
export type SandboxLog = (level: LogLevel, message: string) => void;

/** A log that writes lines like nginx's to a stream and leaves out lines that are quieter than `level`. */
export function createLog(stream: { write(text: string): unknown }, level: LogLevel): SandboxLog {
  const loudest = logLevels.indexOf(level);
  return (each, message) => {
    if (logLevels.indexOf(each) > loudest) return;
    const time = new Date().toISOString().slice(0, 19).replaceAll('-', '/').replace('T', ' ');
    stream.write(`${time} [${each}] ${message.replaceAll('\n', '\\n')}\n`);
  };
}
