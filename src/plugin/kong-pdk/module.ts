import type { KongField } from '../types.ts';

/** What a plugin file for kong-pdk 0.6 exports. */
export interface KongPdkModule {
  /** Constructed with the configuration; methods named after phases are its handlers. */
  readonly Plugin: new (config: unknown) => object;
  /** Default: the name of the file. */
  readonly Name?: string;
  readonly Version?: string;
  readonly Priority?: number;
  /** As `readsInLog` of a definition; kong-pdk itself knows no such list. */
  readonly ReadsInLog?: readonly string[];
  /** The fields of the configuration in Kong's schema language. */
  readonly Schema?: KongField[];
}

export function isKongPdkModule(value: unknown): value is KongPdkModule {
  return (
    typeof value === 'object' && value !== null && 'Plugin' in value && typeof value.Plugin === 'function'
  );
}
