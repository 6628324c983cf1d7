import type { Protocol } from '../pdk/names/index.ts';

/** One plugin as Kong's configuration has to name it. */
export interface PluginSource {
  /** The plugin's name in Kong. */
  readonly name: string;
  /** What `kong-ts serve` takes: an absolute file, a package name or the name of a bundled plugin. */
  readonly spec: string;
  readonly protocol: Protocol;
  /** What a container has to mount for it to run; bundled plugins need nothing. */
  readonly folder?: string;
  /** Environment variables that it reads. */
  readonly environment?: readonly string[];
}
