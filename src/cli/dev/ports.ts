import { createServer } from 'node:net';
import { KongTsError, messageOf } from '../../base/errors.ts';

/** A port that a person has named, or one that is wanted if it is free. */
export interface WantedPort {
  readonly option: string;
  readonly port: number;
  readonly given: boolean;
}

/** How a host stands before its port. */
export const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);

/** How many ports after the wanted one are looked at. */
const others = 50;

/**
 * The port, if it is free; else the next free one, unless a person has named it.
 *
 * @param taken ports that something else of ours will have
 * @throws KongTsError PORT_IN_USE naming the option
 */
export async function choosePort(
  { option, port, given }: WantedPort,
  host: string,
  taken: ReadonlySet<number> = new Set(),
): Promise<number> {
  const last = given ? port : Math.min(65_535, port + others);
  let cause: unknown = null;
  for (let each = port; each <= last; each++) {
    if (taken.has(each)) continue;
    cause = await listenError(each, host);
    if (cause === null) return each;
  }
  const which = given ? `Port ${String(port)}` : `Each port from ${String(port)} to ${String(last)}`;
  throw new KongTsError(
    'PORT_IN_USE',
    `${which} on ${host} cannot be listened on: ${cause === null ? 'another part of kong-ts dev has it' : messageOf(cause)}.`,
    { cause, fix: `Choose another one with ${option} PORT.` },
  );
}

/** Null if the port is free. */
export function listenError(port: number, host: string): Promise<Error | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen(port, host, () => {
      server.close(() => {
        resolve(null);
      });
    });
  });
}
