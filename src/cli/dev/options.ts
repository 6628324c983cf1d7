import type { LogLevel } from '../../server/index.ts';

/** What a `kong-ts dev` is asked for, with every port chosen. */
export interface DevOptions {
  readonly plugins: readonly string[];
  /** The absolute path of kong.yml. */
  readonly config: string;
  /** `host:port` of the Admin API of event hooks. */
  readonly hooksAdmin: string;
  /** Where the echo listens; `url` is what a new kong.yml has for it. */
  readonly upstream: { readonly host: string; readonly port: number; readonly url: string };
  readonly inspect: string | null;
  readonly logLevel: LogLevel;
  readonly dataDir: string | null;
  readonly socketMode: string;
}
