import { messageOf } from '../../base/errors.ts';
import type { LogRecord, Palette } from '../../terminal/index.ts';
import { hasColour, palette, prettyLines, printable, recordOf } from '../../terminal/index.ts';
import { whereText } from '../where.ts';

/** The one terminal that everything of `kong-ts dev` is printed on. */
export class DevTerminal {
  readonly paint: Palette;
  readonly #stream: NodeJS.WriteStream;
  readonly #folder: string;

  constructor(stream: NodeJS.WriteStream, folder: string) {
    this.#stream = stream;
    this.#folder = folder;
    this.paint = palette(hasColour(stream, process.env));
  }

  say(text: string): void {
    this.#stream.write(`${text}\n`);
  }

  /** A line of a log. */
  record(record: LogRecord): void {
    this.#stream.write(prettyLines(record, this.paint, this.#folder));
  }

  /** What a process has printed that is not a line of its log: a plugin's console.log. */
  raw(line: string): void {
    this.#stream.write(`${printable(line)}\n`);
  }

  line(line: string): void {
    const record = recordOf(line);
    if (record === null) this.raw(line);
    else this.record(record);
  }

  /** An error, with the author's line of source where it has one. */
  error(thrown: unknown): void {
    const where = whereText(thrown, this.#stream, process.env);
    this.#stream.write(`${this.paint.red('error')} ${printable(messageOf(thrown))}\n${where}`);
  }
}
