import { Option } from 'commander';
import type { LogRecord } from '../terminal/index.ts';
import { hasColour, palette, prettyLines } from '../terminal/index.ts';

type Write = (level: LogRecord['level'], message: string, fields?: Record<string, unknown>) => void;

/**
 * @param program what programs read in place of it, such as `json`
 * @param about what it is, for the help
 */
export const logFormatOption = (program: string, about: string): Option =>
  new Option(
    '--log-format <format>',
    `pretty for people, ${program} ${about} (default: pretty on a terminal)`,
  ).choices([program, 'pretty']);

/** Lines for people on a stream; null where `format` or the stream asks for what programs read. */
export function prettyLog(format: string | undefined, stream: NodeJS.WriteStream): Write | null {
  if ((format ?? (stream.isTTY ? 'pretty' : 'program')) !== 'pretty') return null;
  const paint = palette(hasColour(stream, process.env));
  return (level, message, fields = {}) => {
    stream.write(prettyLines({ level, time: new Date(), message, fields }, paint, process.cwd()));
  };
}
