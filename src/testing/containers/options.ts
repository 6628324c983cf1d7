import type { GenericContainer } from 'testcontainers';

/**
 * A plugin: a file, the name of an installed package, the name of a plugin that comes with kong-ts, or a file with the
 * folder that has to be there for it to run. Without `folder` that is the nearest folder above with a package.json.
 */
export type PluginInContainer = string | { readonly file: string; readonly folder?: string };

/** What `new KongContainer(options)` takes. */
export interface KongContainerOptions {
  /** Image of Kong, or one that behaves like it. Default: `KONG_IMAGE` in the environment, else `kong:3.9`. */
  readonly image?: string;
  /** Plugins to serve. Default: none, and no plugin server runs. */
  readonly plugins?: readonly PluginInContainer[];
  /**
   * Where the plugin server runs. `inside` (default): Kong starts it in its container, with the Node and kong-ts of
   * the image where it has them (docker/Dockerfile, the sandbox image), else with those of this machine, which has to
   * be a Linux with a C library that suits the image. `host`: as a process of this machine; Kong reaches its socket
   * through a mounted folder, so that the engine has to be on this machine, too.
   */
  readonly pluginServer?: 'inside' | 'host';
  /** Kong's declarative configuration: an object, the text of one (YAML or JSON), or a file's path. */
  readonly declarativeConfig?: object | string;
  /** Runs Kong with Postgres in a container of its own (`true`: `postgres:16`). Default: without a database. */
  readonly postgres?: boolean | { readonly image: string };
  /** Further environment variables for Kong; they win over those that are set here. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Ports in the container for TCP streams. */
  readonly streamPorts?: readonly number[];
  /** Ports in the container for TLS streams. */
  readonly streamTlsPorts?: readonly number[];
  /** Further options of `kong-ts serve`, one word each. */
  readonly serveOptions?: readonly string[];
  /** Runs the event hook dispatcher with its Admin API; webhooks may go to private and loopback addresses. */
  readonly eventHooks?: boolean;
  /** nginx worker processes. Default 2. */
  readonly workers?: number;
  /** `missing` (default) pulls images that are not there; `never` fails instead. */
  readonly pull?: 'missing' | 'never';
  /** How long Kong and the plugin server may take to get ready, in milliseconds. Default 60000. */
  readonly startupTimeout?: number;
  /** Kong's version, for what its configuration has to look like. Default: from the image's tag, else 3.9. */
  readonly kongVersion?: string;
  /** Changes Kong's container before it starts: networks, limits, mounts. */
  readonly configure?: (container: GenericContainer) => void;
}
