/** The holder of the functions of one path: the interface that authors see, and the file of its types. */
export interface Shelf {
  /** The interface's name. */
  readonly api: string;
  /** The file of `src/pdk/types/` that the interface stands in. */
  readonly file: 'api-client' | 'api-node' | 'api-request' | 'api-response' | 'api-service';
  readonly description: string;
}

/** One shelf per path of the catalogue. `kong.log` itself is a function, and has none. */
export const shelves = {
  'kong.client': { api: 'ClientApi', file: 'api-client', description: 'who sent the request' },
  'kong.client.tls': { api: 'ClientTlsApi', file: 'api-client', description: "the client's TLS connection" },
  'kong.router': { api: 'RouterApi', file: 'api-client', description: 'what matched' },
  'kong.ip': { api: 'IpApi', file: 'api-client', description: "addresses, by Kong's configuration" },
  'kong.log': {
    api: 'LogApi',
    file: 'api-node',
    description:
      "Kong's error log, and the record of the request. Called itself, it writes at level `notice`",
  },
  'kong.nginx': { api: 'NginxApi', file: 'api-node', description: 'what nginx knows of the request' },
  'kong.ctx.shared': {
    api: 'SharedApi',
    file: 'api-node',
    description: 'values that plugins share for one request',
  },
  'kong.node': { api: 'NodeApi', file: 'api-node', description: 'this Kong' },
  'kong.cluster': { api: 'ClusterApi', file: 'api-node', description: "Kong's cluster" },
  'kong.plugin': { api: 'PluginApi', file: 'api-node', description: 'the plugin that runs' },
  'kong.telemetry': { api: 'TelemetryApi', file: 'api-node', description: 'entries for OpenTelemetry' },
  'kong.vault': { api: 'VaultApi', file: 'api-node', description: 'references to secrets' },
  'kong.request': {
    api: 'RequestApi',
    file: 'api-request',
    description: 'the request as the client sent it',
  },
  'kong.response': { api: 'ResponseApi', file: 'api-response', description: 'the response to the client' },
  'kong.service': { api: 'ServiceApi', file: 'api-service', description: 'where the request goes' },
  'kong.service.request': {
    api: 'ServiceRequestApi',
    file: 'api-service',
    description: 'the request that the upstream gets',
  },
  'kong.service.response': {
    api: 'ServiceResponseApi',
    file: 'api-service',
    description: 'what the upstream answered',
  },
} as const satisfies Record<string, Shelf>;
