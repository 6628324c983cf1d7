import type { RequestReport } from './gateway/request-report.ts';
import type { LogLevel, PluginServerOptions, SandboxLog } from '../kong-end/index.ts';

export interface SandboxOptions {
  /** Files of Kong's declarative format (YAML or JSON). */
  config?: readonly string[];
  /** Proxy listeners as in Kong's proxy_listen. Default `127.0.0.1:8000`; `off` for none. */
  proxyListen?: string;
  /** Admin API listeners as in Kong's admin_listen. Default `127.0.0.1:8001`; `off` for none. */
  adminListen?: string;
  /**
   * Names that clients may call the Admin API by, beside addresses and names of this machine (elsewhere: local ones). It
   * asks for no token, so other names and web pages are refused (403). Default: none.
   */
  allowHosts?: readonly string[];
  /** TCP and TLS (`ssl`) stream listeners. Default `off`. */
  streamListen?: string;
  pluginServers?: readonly PluginServerOptions[];
  /**
   * As Kong's `nginx_main_env`: the variables that servers with a `startCommand` get, `NAME` or `NAME=value`, several
   * as `A; env B=1`. Default: none. Nginx clears the environment of processes that it starts. So such a server has PWD,
   * TZ and these, but no PATH or HOME (measured on Kong 3.9.3). A `queryCommand` has the whole environment.
   */
  nginxMainEnv?: string;
  /** Plugins that may be used (`KONG_PLUGINS`): names, or `bundled` for key-auth. Default: all that are known. */
  plugins?: readonly string[];
  /** Plugins and sections of Kong that the sandbox does not run are an error in `config`. Default: passed over, said once. */
  strict?: boolean;
  /** Files for decK: `_info`, `_workspace` (each file may have its own) and `_plugin_configs` are read. Default: refused. */
  deck?: boolean;
  /** Workspaces in the Admin API, as Kong Enterprise has them. Default: when a file names a `_workspace`. */
  workspaces?: boolean;
  /** `off`: the Admin API only reads, and `/config` loads, as a Kong without database. Default `postgres`. */
  database?: 'postgres' | 'off';
  /** Where the Admin API forwards `/event-hooks` to: `http://HOST:PORT`, `HOST:PORT` or `unix:/path`. */
  eventHooksAdmin?: string;
  /** Working directory; body files go there. Default: a temporary one, removed at the end. */
  prefix?: string;
  /** What is logged at least. Default `notice`. */
  logLevel?: LogLevel;
  /** Receives log lines. Default: standard error. */
  log?: SandboxLog;
  /** Addresses or CIDR ranges whose X-Forwarded-* headers count (trusted_ips). Default: none. */
  trustedIps?: readonly string[];
  /** How many nginx workers are simulated: each starts instances of its own. Default 1. */
  workers?: number;
  /**
   * Resolves when the old nginx worker ends after a reload, and with it the plugin servers that it started. Default: after
   * 3 seconds; up to 6 were seen on Kong 3.9.3.
   */
  oldWorkerEnds?: () => Promise<unknown>;
  /** Milliseconds from a reload until the new nginx workers answer. Default 500, as Kong takes at least. */
  workerStartMs?: number;
  /** Gets a report of each request, once its log phase has ended. Default: nobody. */
  onRequest?: (report: RequestReport) => void;
  /** How long a plugin server may take for each answer, in milliseconds. Default 60000, as Kong. */
  pluginServerTimeoutMs?: number;
  /** Bodies above this go to a file (client_body_buffer_size), in bytes. Default 8192. */
  bodyBufferBytes?: number;
  /** Limit of one message from a plugin server, in bytes. Default 64 MiB. */
  maxMessageBytes?: number;
}
