/** A host and the port behind it, null if no number follows. */
export interface HostAndPort {
  readonly host: string;
  readonly port: number | null;
}

/** Kong splits at the first colon, and only if a number in Lua's syntax follows: `0x50` is 80. */
export function splitHost(text: string): HostAndPort {
  const at = text.indexOf(':');
  const number = at < 0 ? '' : text.slice(at + 1).trim();
  return /^[+-]?(0x[\da-f]+|(\d+\.?\d*|\.\d+)(e[+-]?\d+)?)$/i.test(number)
    ? { host: text.slice(0, at), port: Number(number) }
    : { host: text, port: null };
}

/** Tells whether one of a route's hosts fits. Upper and lower case differ, as in Kong's router. */
export type HostMatcher = (host: string, port: number) => boolean;

/** Compiles `example.com`, `*.example.com`, `example.*` and each with `:port`; null when there are none. */
export function compileHosts(hosts: readonly string[]): HostMatcher | null {
  if (hosts.length === 0) return null;
  const tests = hosts.map((entry): HostMatcher => {
    const { host: pattern, port: wanted } = splitHost(entry);
    const fits = nameTest(pattern);
    return (host, port) => (wanted === null || wanted === port) && fits(host);
  });
  return (host, port) => tests.some((test) => test(host, port));
}

/**
 * Compiles a route's server names: `a.test`, `*.test`, `a.*`; null when there are none. A dot at a name's end does not
 * count, except in the client's name.
 */
export function compileServerNames(names: readonly string[]): ((name: string) => boolean) | null {
  if (names.length === 0) return null;
  const tests = names.map((name) =>
    nameTest(!name.endsWith('*') && name.length > 1 ? name.replace(/\.$/, '') : name),
  );
  return (name) => tests.some((test) => test(name));
}

function nameTest(pattern: string): (host: string) => boolean {
  if (pattern.startsWith('*')) return (host) => host.endsWith(pattern.slice(1));
  if (pattern.endsWith('*')) return (host) => host.startsWith(pattern.slice(0, -1));
  return (host) => host === pattern;
}
