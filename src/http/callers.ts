import { isIP } from 'node:net';
import type { IncomingHttpHeaders } from 'node:http';

/** Names that no name server outside gives an address: reserved ones, and those of one label. */
const localNames = /^(?:[^.]+|.*\.(?:localhost|local|internal|test|home\.arpa))$/;
const loopbackNames = /^(?:.*\.)?localhost$/;

/** The names by which permitted clients call a listener without a token. */
export interface Callers {
  /** Listens on this machine only: then clients call it `localhost` or by an address. */
  readonly loopback: boolean;
  /** Further names, lower case, that stand in `Host`. */
  readonly names: readonly string[];
}

/** Whether only this machine can connect to an address. */
export const isLoopback = (host: string): boolean => /^(127\.[\d.]+|::1|\[::1\]|localhost)$/i.test(host);

/**
 * Why a request on a listener without a token is refused; null if it may pass. A web page from anywhere can make a
 * browser send requests to this machine, so loopback is not a permission: browsers say where a request comes from
 * (`Origin`, `Sec-Fetch-Site`, older ones `Referer` alone), and a name that somebody else points at this machine (DNS
 * rebinding) stands in `Host`. decK, curl and servers send neither of the first two, and a Host of an address or of a
 * name of this network.
 * @returns a sentence for the client
 */
export function foreignCaller(method: string, headers: IncomingHttpHeaders, callers: Callers): string | null {
  const host = headers.host ?? '';
  if (host !== '' && !isOwnHost(host, callers)) {
    return `Host is "${host.slice(0, 200)}", which is not known as a name of this listener. Call it by its address, or allow the name with --allow-host.`;
  }
  const { origin } = headers;
  if (origin !== undefined && !sameOrigin(origin, host)) {
    return `The request comes from a web page of ${origin.slice(0, 200)}, and this listener asks for no token.`;
  }
  const { referer } = headers;
  if (referer !== undefined && !sameOrigin(referer, host)) {
    return `The request comes from a web page of another origin (Referer), and this listener asks for no token.`;
  }
  const site = headers['sec-fetch-site'];
  if (site === undefined || site === 'same-origin') return null;
  // `none`: somebody has typed the address.
  if (site === 'none' && (method === 'GET' || method === 'HEAD')) return null;
  return `The request comes from a web page (Sec-Fetch-Site: ${String(site).slice(0, 40)}), and this listener asks for no token.`;
}

/** Whether a page of any origin, or a name that is not known, may be behind a request: then nothing is lent to it. */
export const mayBeForeign = (method: string, headers: IncomingHttpHeaders, callers: Callers): boolean =>
  headers.origin !== undefined ||
  headers.referer !== undefined ||
  foreignCaller(method, headers, callers) !== null;

function isOwnHost(host: string, { loopback, names }: Callers): boolean {
  const name = host.replace(/:\d{1,5}$/, '').toLowerCase();
  if (name.startsWith('[')) return name.endsWith(']') && isIP(name.slice(1, -1)) === 6;
  if (isIP(name) !== 0 || names.includes(name)) return true;
  // Some readers would take a text of digits and dots for an address, although it is not one.
  if (!/^[\w.-]+$/.test(name) || /^[\d.]+$/.test(name)) return false;
  return (loopback ? loopbackNames : localNames).test(name);
}

/** Whether a page of an origin comes from what `Host` names. Text that is no origin never does. */
export function sameOrigin(origin: string, host: string): boolean {
  try {
    const { protocol, host: from } = new URL(origin);
    return (protocol === 'http:' || protocol === 'https:') && from === new URL(`${protocol}//${host}`).host;
  } catch {
    return false;
  }
}
