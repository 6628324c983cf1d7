/** Kong's log levels, from the most talkative to the most severe. */
export const logLevels = ['debug', 'info', 'notice', 'warn', 'error', 'crit', 'alert', 'emerg'] as const;

export type LogLevel = (typeof logLevels)[number];

/** `json`: one object per line, for programs. `pretty`: for people at a terminal. */
export const logFormats = ['json', 'pretty'] as const;

export type LogFormat = (typeof logFormats)[number];

type LogLine = (message: string, fields?: Record<string, unknown>) => void;

/** A structured log with Kong's levels, on standard output. */
export type ServerLog = Readonly<Record<LogLevel, LogLine>> & {
  /** The same log with fields that every line carries. */
  child(fields: Record<string, unknown>): ServerLog;
  /** True when lines of this level are written: check it before building an expensive debug text. */
  enabled(level: LogLevel): boolean;
};
