import type { Probes } from './plugins.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A Kong, or the sandbox, with the probes as its plugins. */
export interface Gateway {
  /** What it was asked for as: `sandbox`, an image, an address. */
  readonly name: string;
  readonly proxy: Address;
  readonly proxyTls: Address | null;
  /** A TCP stream listener, and the port that Kong knows it by. */
  readonly stream: (Address & { readonly kongPort: number }) | null;
  readonly adminUrl: string;
  /** How Kong calls this machine, and the address that servers of this machine have to listen on for it. */
  readonly here: { readonly name: string; readonly listen: string };
  readonly probes: Probes;
  /** Replaces the configuration, and resolves when requests meet the new one. Without a database only. */
  configure(config: object): Promise<void>;
  close(): Promise<void>;
}

/** What is recorded about a Kong beside its answers. */
export interface Provenance {
  readonly kong: string;
  readonly database: string;
  readonly gateway: string;
  /** When it was recorded, ISO 8601. */
  readonly recorded: string;
}

/** Asks a gateway what it is. Kong 3.9.3 answers `GET /` with 500 where it has some plugins; `/status` says enough. */
export async function provenanceOf(gateway: Pick<Gateway, 'adminUrl' | 'name'>): Promise<Provenance> {
  const answer = await fetch(`${gateway.adminUrl}/`);
  const server = answer.headers.get('server');
  const body = answer.ok
    ? ((await answer.json()) as { version?: string; configuration?: { database?: string } })
    : {};
  return {
    kong: body.version ?? server?.replace(/^kong\//, '') ?? 'unknown',
    database: body.configuration?.database ?? (await databaseOf(gateway.adminUrl)),
    gateway: gateway.name,
    recorded: new Date().toISOString(),
  };
}

/** Kong without a database tells the hash of its configuration in place of a database. */
async function databaseOf(adminUrl: string): Promise<string> {
  const answer = await fetch(`${adminUrl}/status`);
  const status = Object(answer.ok ? await answer.json() : null) as object;
  if ('configuration_hash' in status) return 'off';
  return 'database' in status ? 'postgres' : 'unknown';
}
