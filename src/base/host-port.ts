/** A port, and the host in front of it: a name or an IP address, IPv6 without its brackets. */
export interface HostPort {
  /** Null where the port stands alone (`9100` and `:9100`). */
  readonly host: string | null;
  /** From 0 to 65535. */
  readonly port: number;
}

/**
 * Reads `127.0.0.1:9100`, `name:9100`, `[::1]:9100`, `:9100` and `9100`.
 * @returns null for any other text; the caller knows the right error
 */
export function parseHostPort(text: string): HostPort | null {
  const parts = /^(?:(?:\[([\da-fA-F:.]+)\]|([^:[\]\s]*)):)?(\d{1,5})$/.exec(text);
  const port = Number(parts?.[3]);
  if (parts === null || port > 65_535) return null;
  const host = parts[1] ?? parts[2] ?? '';
  return { host: host === '' ? null : host, port };
}
