/** One `pluginserver_names` entry of Kong: a plugin server and the one plugin that Kong 3.9 reads from its dump. */
export interface PluginServerOptions {
  name: string;
  /** Unix socket that the server listens on. Default: `<prefix>/<name>.socket`. */
  socket?: string;
  /** Command that prints the dump; run as Kong runs it (`exec <command>` in a shell). */
  queryCommand?: string;
  /** File with the dump, the document itself, or who knows the present one; instead of `queryCommand`. */
  dump?: string | object | (() => object);
  /** Command that starts the server. Without it the server is managed elsewhere. */
  startCommand?: string;
}
