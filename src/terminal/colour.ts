/** A style of a terminal: text in, text with its codes out. */
export type Paint = (text: string) => string;

export interface Palette {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly yellow: Paint;
  readonly green: Paint;
  readonly cyan: Paint;
}

const code =
  (on: number, off: number): Paint =>
  (text) =>
    `\x1b[${String(on)}m${text}\x1b[${String(off)}m`;
const plain: Paint = (text) => text;

const coloured: Palette = {
  bold: code(1, 22),
  dim: code(2, 22),
  red: code(31, 39),
  yellow: code(33, 39),
  green: code(32, 39),
  cyan: code(36, 39),
};
const colourless: Palette = {
  bold: plain,
  dim: plain,
  red: plain,
  yellow: plain,
  green: plain,
  cyan: plain,
};

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Whether text for this stream has colours: it is a terminal that knows them, and nobody has said otherwise. `NO_COLOR` with any
 * value but an empty one means no (https://no-color.org); `FORCE_COLOR` means yes, unless it is 0.
 */
export function hasColour(stream: { readonly isTTY?: boolean }, environment: Environment): boolean {
  const { NO_COLOR: no = '', FORCE_COLOR: force = '' } = environment;
  if (no !== '') return false;
  if (force !== '') return force !== '0';
  return stream.isTTY === true && environment['TERM'] !== 'dumb';
}

export function palette(colours: boolean): Palette {
  return colours ? coloured : colourless;
}
