/** What a start_cmd of `kong-ts serve` says of its sockets. */
export interface ServeCommand {
  /** `--socket PATH` and `--socket NAME=PATH`, in their order. */
  readonly sockets: readonly string[];
  /** The control socket, which is asked for the server's health; null: none. */
  readonly control: string | null;
}

/** The sockets of a start_cmd, whatever program it starts. */
export function socketsOf(command: string): string[] {
  return [...command.matchAll(/--socket[= ](?:[^\s/=]+=)?(\S+)/g)].map(([, path = '']) => path);
}

/** @returns null where the command is not one of `kong-ts serve` */
export function readServeCommand(command: string): ServeCommand | null {
  const words = command.trim().split(/\s+/);
  const serve = words.indexOf('serve');
  if (serve < 1 || !/(^|\/)kong-ts(\.js|\.sh)?$/.test(words[serve - 1] ?? '')) return null;
  const sockets = socketsOf(command);
  const [first] = sockets;
  const named = /--control[= ](\S+)/.exec(command)?.[1];
  return { sockets, control: named ?? (first === undefined ? null : `${first}.ctl`) };
}
