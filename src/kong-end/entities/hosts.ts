import { isIPv4, isIPv6 } from 'node:net';

/** An address as Kong reads it: an IPv4 address, an IPv6 address or a name, with or without a port. */
export interface Address {
  type: 'ipv4' | 'ipv6' | 'name';
  host: string;
  port?: number;
}

export type AddressError = 'invalid' | 'invalid port number';

/** Reads `name`, `name:port`, `1.2.3.4`, `1.2.3.4:port`, `::1`, `[::1]` and `[::1]:port`. */
export function parseAddress(text: string): Address | AddressError {
  if ((text.match(/:/g)?.length ?? 0) > 1) return parseIpv6(text);
  const match = /^(.*?)(?::(\d+))?$/s.exec(text);
  const host = match?.[1] ?? '';
  const port = match?.[2] === undefined ? undefined : Number(match[2]);
  const numeric = /^[\d.]+$/.test(text.replace(':', ''));
  if (numeric) {
    if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(host)) return 'invalid';
    const parts = host.split('.').map(Number);
    if (parts.some((part) => part > 255)) return 'invalid';
    if (port !== undefined && port > 65535) return 'invalid port number';
    return withPort({ type: 'ipv4', host: parts.join('.') }, port);
  }
  if (port !== undefined && port > 65535) return 'invalid port number';
  if (!/^[A-Za-z0-9._-]+$/.test(host)) return 'invalid';
  const segments = host.split('.');
  if (segments.some((part, index) => part.endsWith('-') || (part === '' && index < segments.length - 1))) {
    return 'invalid';
  }
  return withPort({ type: 'name', host }, port);
}

function parseIpv6(text: string): Address | AddressError {
  const match = /^\[(.*)\](?::(\d+))?$/s.exec(text);
  const host = match === null ? text : (match[1] ?? '');
  const port = match?.[2] === undefined ? undefined : Number(match[2]);
  if (!isIPv6(host)) return 'invalid';
  if (port !== undefined && port > 65535) return 'invalid port number';
  return withPort({ type: 'ipv6', host: expandIpv6(host) }, port);
}

function withPort(address: Address, port: number | undefined): Address {
  return port === undefined ? address : { ...address, port };
}

/** All eight groups, four digits each, as Kong writes targets. */
function expandIpv6(host: string): string {
  const embedded = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(host);
  if (embedded !== null) {
    const [, head = '', a, b, c, d] = embedded;
    const group = (high: unknown, low: unknown): string => ((Number(high) << 8) | Number(low)).toString(16);
    host = `${head}${group(a, b)}:${group(c, d)}`;
  }
  const [left = '', right] = host.split('::');
  const before = left === '' ? [] : left.split(':');
  const after = right === undefined || right === '' ? [] : right.split(':');
  const fill = right === undefined ? [] : Array<string>(8 - before.length - after.length).fill('0');
  return [...before, ...fill, ...after].map((group) => group.toLowerCase().padStart(4, '0')).join(':');
}

/** `host:port`, with brackets around IPv6. */
export function formatAddress(address: Address, defaultPort: number): string {
  const host = address.type === 'ipv6' ? `[${address.host}]` : address.host;
  return `${host}:${address.port ?? defaultPort}`;
}

/** An address or a CIDR range of either family. */
export function isIpOrCidr(text: string): boolean {
  const [ip = '', prefix, ...more] = text.split('/');
  if (more.length > 0) return false;
  const bits = isIPv4(ip) ? 32 : isIPv6(ip) ? 128 : 0;
  if (bits === 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits);
}
