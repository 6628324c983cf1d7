import { namespaces } from './catalogue.ts';
import type { PhaseChannel } from './channel.ts';
import { createLog } from './log.ts';
import type { PlainLog } from './log.ts';
import { namespaceClass } from './methods.ts';
import type { ClientApi, ClientTlsApi, IpApi, RouterApi } from './types/api-client.ts';
import type {
  ClusterApi,
  LogApi,
  NginxApi,
  NodeApi,
  PluginApi,
  SharedApi,
  TelemetryApi,
  VaultApi,
} from './types/api-node.ts';
import type { RequestApi } from './types/api-request.ts';
import type { ResponseApi } from './types/api-response.ts';
import type { ServiceApi, ServiceRequestApi, ServiceResponseApi } from './types/api-service.ts';
import type { KongApi } from './types/kong.ts';

const ClientFunctions = namespaceClass<ClientApi>(namespaces['kong.client']);
const ClientTls = namespaceClass<ClientTlsApi>(namespaces['kong.client.tls']);
const Cluster = namespaceClass<ClusterApi>(namespaces['kong.cluster']);
const Shared = namespaceClass<SharedApi>(namespaces['kong.ctx.shared']);
const Ip = namespaceClass<IpApi>(namespaces['kong.ip']);
const Nginx = namespaceClass<NginxApi>(namespaces['kong.nginx']);
const Node = namespaceClass<NodeApi>(namespaces['kong.node']);
const Plugin = namespaceClass<PluginApi>(namespaces['kong.plugin']);
const Request = namespaceClass<RequestApi>(namespaces['kong.request']);
const Response = namespaceClass<ResponseApi>(namespaces['kong.response']);
const Router = namespaceClass<RouterApi>(namespaces['kong.router']);
const ServiceFunctions = namespaceClass<ServiceApi>(namespaces['kong.service']);
const ServiceRequest = namespaceClass<ServiceRequestApi>(namespaces['kong.service.request']);
const ServiceResponse = namespaceClass<ServiceResponseApi>(namespaces['kong.service.response']);
const Telemetry = namespaceClass<TelemetryApi>(namespaces['kong.telemetry']);
const Vault = namespaceClass<VaultApi>(namespaces['kong.vault']);

class Client extends ClientFunctions {
  readonly tls: ClientTlsApi;

  constructor(channel: PhaseChannel) {
    super(channel);
    this.tls = new ClientTls(channel);
  }
}

class Service extends ServiceFunctions {
  readonly request: ServiceRequestApi;
  readonly response: ServiceResponseApi;

  constructor(channel: PhaseChannel) {
    super(channel);
    this.request = new ServiceRequest(channel);
    this.response = new ServiceResponse(channel);
  }
}

/** The `kong` object of one event. Namespaces are made when they are first used. */
class EventKong implements KongApi {
  readonly #channel: PhaseChannel;
  #client: Client | undefined;
  #ctx: { readonly shared: SharedApi } | undefined;
  #log: (PlainLog & LogApi) | undefined;
  #nginx: NginxApi | undefined;
  #request: RequestApi | undefined;
  #response: ResponseApi | undefined;
  #service: Service | undefined;

  constructor(channel: PhaseChannel) {
    this.#channel = channel;
  }

  get client(): Client {
    return (this.#client ??= new Client(this.#channel));
  }
  get ctx(): { readonly shared: SharedApi } {
    return (this.#ctx ??= { shared: new Shared(this.#channel) });
  }
  get log(): PlainLog & LogApi {
    return (this.#log ??= createLog(this.#channel));
  }
  get nginx(): NginxApi {
    return (this.#nginx ??= new Nginx(this.#channel));
  }
  get request(): RequestApi {
    return (this.#request ??= new Request(this.#channel));
  }
  get response(): ResponseApi {
    return (this.#response ??= new Response(this.#channel));
  }
  get service(): Service {
    return (this.#service ??= new Service(this.#channel));
  }

  // Rarely used more than once in an event: not kept.
  get cluster(): ClusterApi {
    return new Cluster(this.#channel);
  }
  get ip(): IpApi {
    return new Ip(this.#channel);
  }
  get node(): NodeApi {
    return new Node(this.#channel);
  }
  get plugin(): PluginApi {
    return new Plugin(this.#channel);
  }
  get router(): RouterApi {
    return new Router(this.#channel);
  }
  get telemetry(): TelemetryApi {
    return new Telemetry(this.#channel);
  }
  get vault(): VaultApi {
    return new Vault(this.#channel);
  }
}

/**
 * The PDK for one running event. Every call is checked here (phase, protocol, arguments) before anything is sent;
 * getters resolve with the same values over both protocols, setters and logs resolve at once, exit and error end the
 * handler. No call throws: an impossible call rejects with a KongTsError.
 */
export function createKong(channel: PhaseChannel): KongApi {
  return new EventKong(channel);
}
