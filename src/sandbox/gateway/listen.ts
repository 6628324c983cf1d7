import { KongTsError } from '../../base/errors.ts';
import { parseHostPort } from '../../base/host-port.ts';

/** Where a listener listens. */
export interface ListenAddress {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly tls: boolean;
  /** The option that it came from, for error messages. */
  readonly option: string;
}

/** Flags of Kong 3.9's listen properties that change nothing here: how nginx and the system queue connections. */
const idle =
  /^(http2|deferred|bind|reuseport|backlog=\d+|ipv6only=(on|off)|so_keepalive=(on|off|\w*:\w*:\d*))$/;
/** Flags that Kong has and this gateway cannot honour. */
const absent: Readonly<Record<string, string>> = {
  proxy_protocol: 'The sandbox does not read the PROXY protocol: clients would get a 400.',
  udp: 'The sandbox has no UDP listeners.',
};

/**
 * Reads a listen property as Kong has them: `127.0.0.1:8000`, `0.0.0.0:8443 ssl`, `[::1]:8001`, several separated by
 * commas, or `off` (which, in the first place, is all). Of the flags `ssl` counts; those about queues, keep-alive and
 * HTTP/2 are taken and have no effect.
 *
 * @param option what the user calls it, such as `--proxy-listen`
 * @throws KongTsError USAGE also for what Kong has and this gateway cannot do: proxy_protocol, udp, unix sockets
 */
export function parseListen(text: string, option: string): ListenAddress[] {
  const addresses: ListenAddress[] = [];
  for (const directive of text.split(',')) {
    const [address = '', ...flags] = directive.trim().split(/\s+/);
    if (address === 'off' && addresses.length === 0) return [];
    if (address === '') continue;
    addresses.push({ ...hostAndPort(address, option), tls: flags.includes('ssl'), option });
    for (const flag of flags) checkFlag(flag, option);
  }
  return addresses;
}

function hostAndPort(address: string, option: string): { host: string; port: number } {
  if (address.startsWith('unix:'))
    throw new KongTsError('USAGE', `"${address}" in ${option}: Kong and the sandbox listen on TCP here.`, {
      fix: 'Write it as HOST:PORT.',
    });
  const parsed = parseHostPort(address);
  if (parsed === null)
    throw new KongTsError('USAGE', `"${address}" in ${option} is not an address.`, {
      fix: 'Write it as HOST:PORT ([::1]:8001 for IPv6), with " ssl" after it for TLS, or "off".',
    });
  return { host: parsed.host ?? '0.0.0.0', port: parsed.port };
}

function checkFlag(flag: string, option: string): void {
  if (flag === 'ssl' || idle.test(flag)) return;
  throw new KongTsError('USAGE', `"${flag}" in ${option} cannot be had. ${absent[flag] ?? ''}`.trim(), {
    fix: absent[flag] === undefined ? 'Kong has no such flag.' : 'Take it out for the sandbox.',
  });
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
