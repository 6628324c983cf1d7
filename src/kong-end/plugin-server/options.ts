/** One `pluginserver_names` entry of Kong: a plugin server and the one plugin that Kong 3.9 reads from its dump. */
export interface PluginServerOptions {
  name: string;
  /** Unix socket that the server listens on. Default: `<prefix>/<name>.socket`. */
  socket?: string;
  /** Command that prints the dump; run as Kong runs it (`exec <command>` in a shell). */
  queryCommand?: string;
  /** File with the dump, or the document itself; instead of `queryCommand`. */
  dump?: string | object;
  /** Command that starts the server. Without it the server is managed elsewhere. */
  startCommand?: string;
}
