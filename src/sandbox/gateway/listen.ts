import { KongTsError } from '../../errors.ts';

/** Where a listener listens. */
export interface ListenAddress {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly tls: boolean;
  /** The option that it came from, for error messages. */
  readonly option: string;
}

/**
 * Reads a listen directive as Kong has them: `127.0.0.1:8000`, `0.0.0.0:8443 ssl`, several separated by commas, or
 * `off`. Flags other than `ssl` (http2, reuseport, backlog=...) are taken and have no effect.
 *
 * @param option what the user calls it, such as `--proxy-listen`
 * @throws KongTsError USAGE
 */
export function parseListen(text: string, option: string): ListenAddress[] {
  const addresses: ListenAddress[] = [];
  for (const directive of text.split(',')) {
    const [address = '', ...flags] = directive.trim().split(/\s+/);
    if (address === '' || address === 'off') continue;
    const parts = /^(?:(.+):)?(\d+)$/.exec(address);
    const port = Number(parts?.[2] ?? Number.NaN);
    if (!Number.isInteger(port) || port > 65_535)
      throw new KongTsError('USAGE', `"${address}" in ${option} is no address.`, {
        fix: 'Write it as HOST:PORT, with " ssl" after it for TLS, or "off".',
      });
    const host = (parts?.[1] ?? '0.0.0.0').replace(/^\[|\]$/g, '');
    addresses.push({ host, port, tls: flags.includes('ssl'), option });
  }
  return addresses;
}

/** How a bound address is written in a URL. */
export function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

/** The error of a listener that could not be bound. */
export function listenError(address: ListenAddress, error: NodeJS.ErrnoException): KongTsError {
  const { host, port, option } = address;
  const where = `Port ${String(port)} on ${host}`;
  if (error.code === 'EADDRINUSE')
    return new KongTsError('PORT_IN_USE', `${where} is taken by another process.`, {
      cause: error,
      fix: `Choose another one with ${option} (${option} 127.0.0.1:0 takes any that is free).`,
    });
  return new KongTsError('SOCKET_UNUSABLE', `${where} (${option}) cannot be listened on: ${error.message}.`, {
    cause: error,
  });
}
