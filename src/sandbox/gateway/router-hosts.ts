/** The hosts of one route. */
export interface HostMatcher {
  /** True when no host has a wildcard. */
  readonly plain: boolean;
  /** @param host without port, lower case */
  matches(host: string, port: number): boolean;
}

/** Compiles `example.com`, `*.example.com`, `example.*` and each with `:port`; null when there are none. */
export function compileHosts(hosts: readonly string[]): HostMatcher | null {
  if (hosts.length === 0) return null;
  const tests = hosts.map((entry): ((host: string, port: number) => boolean) => {
    const at = /:(\d+)$/.exec(entry);
    const wanted = at === null ? null : Number(at[1]);
    const name = (at === null ? entry : entry.slice(0, at.index)).toLowerCase();
    const portFits = (port: number): boolean => wanted === null || wanted === port;
    if (name.startsWith('*.')) {
      const suffix = name.slice(1);
      return (host, port) => host.length > suffix.length && host.endsWith(suffix) && portFits(port);
    }
    if (name.endsWith('.*')) {
      const prefix = name.slice(0, -1);
      return (host, port) => host.length > prefix.length && host.startsWith(prefix) && portFits(port);
    }
    return (host, port) => host === name && portFits(port);
  });
  return {
    plain: hosts.every((host) => !host.includes('*')),
    matches: (host, port) => tests.some((test) => test(host, port)),
  };
}
