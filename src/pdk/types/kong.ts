import type { namespaces } from '../catalogue.ts';
import type { FunctionSpec } from '../catalogue/types.ts';
import type { Phase, Protocol } from '../names/phases.ts';
import type { DefaultKongVersion, KongVersion, UpTo } from '../names/versions.ts';
import type { ClientApi, ClientTlsApi, IpApi, RouterApi } from './api-client.ts';
import type {
  ClusterApi,
  LogApi,
  NginxApi,
  NodeApi,
  PluginApi,
  SharedApi,
  TelemetryApi,
  VaultApi,
} from './api-node.ts';
import type { RequestApi } from './api-request.ts';
import type { ResponseApi } from './api-response.ts';
import type { ServiceApi, ServiceRequestApi, ServiceResponseApi } from './api-service.ts';

type Specs = typeof namespaces;

/** `kong.log(...)` writes at level `notice`. */
type PlainLog = (...values: unknown[]) => Promise<void>;

/** Phases in which one function can be called over one protocol. */
type OfferedPhases<Spec, P extends Protocol> = Spec extends FunctionSpec
  ? Spec['travel'][P] extends 'absent'
    ? never
    : Spec['travel'][P] extends 'composed'
      ? NonNullable<Spec['composed']>['phases'][number]
      : | Exclude<Spec['phases'][number], Spec extends { readonly notInLog: P } ? 'log' : never>
        | (Spec extends { readonly inLog: object } ? 'log' : never)
  : never;

/** False for a function that a version of Kong does not have yet. */
type IsThere<Spec, V extends KongVersion> = Spec extends { readonly since: infer Since }
  ? Since extends UpTo<V>
    ? true
    : false
  : true;

/** True when a function can be called in all of the phases and over all of the protocols. */
type IsOffered<Spec, Ph extends Phase, Pr extends Protocol> = false extends (
  Pr extends Protocol ? ([Ph] extends [OfferedPhases<Spec, Pr>] ? true : false) : never
)
  ? false
  : true;

/** The functions of a namespace that can be called there. */
type Offered<Api, Functions, Ph extends Phase, Pr extends Protocol, V extends KongVersion> = {
  [
    Name in keyof Api as Name extends keyof Functions
      ? [IsThere<Functions[Name], V>, IsOffered<Functions[Name], Ph, Pr>] extends [true, true]
        ? Name
        : never
      : never
  ]: Api[Name];
};

/** Leaves out namespaces that nothing is left of. */
type Filled<T> = { readonly [Key in keyof T as [keyof T[Key]] extends [never] ? never : Key]: T[Key] };

/** serializeRaw is serialize without the parse. */
type LogFunctions = Specs['kong.log'] & { readonly serializeRaw: Specs['kong.log']['serialize'] };

/**
 * What a handler gets: Kong's PDK with the functions that this phase and this protocol have. The masks are the
 * catalogue's own. Of several phases or protocols (`Kong<'access' | 'response'>`), what all of them have. A version of
 * Kong (default 3.9) leaves out what later ones have added.
 */
export type Kong<
  Ph extends Phase = Phase,
  Pr extends Protocol = Protocol,
  V extends KongVersion = DefaultKongVersion,
> = Filled<{
  client: Offered<ClientApi, Specs['kong.client'], Ph, Pr, V> &
    Filled<{ tls: Offered<ClientTlsApi, Specs['kong.client.tls'], Ph, Pr, V> }>;
  cluster: Offered<ClusterApi, Specs['kong.cluster'], Ph, Pr, V>;
  ctx: { readonly shared: Offered<SharedApi, Specs['kong.ctx.shared'], Ph, Pr, V> };
  ip: Offered<IpApi, Specs['kong.ip'], Ph, Pr, V>;
  log: PlainLog & Offered<LogApi, LogFunctions, Ph, Pr, V>;
  nginx: Offered<NginxApi, Specs['kong.nginx'], Ph, Pr, V>;
  node: Offered<NodeApi, Specs['kong.node'], Ph, Pr, V>;
  plugin: Offered<PluginApi, Specs['kong.plugin'], Ph, Pr, V>;
  request: Offered<RequestApi, Specs['kong.request'], Ph, Pr, V>;
  response: Offered<ResponseApi, Specs['kong.response'], Ph, Pr, V>;
  router: Offered<RouterApi, Specs['kong.router'], Ph, Pr, V>;
  service: Offered<ServiceApi, Specs['kong.service'], Ph, Pr, V> &
    Filled<{
      request: Offered<ServiceRequestApi, Specs['kong.service.request'], Ph, Pr, V>;
      response: Offered<ServiceResponseApi, Specs['kong.service.response'], Ph, Pr, V>;
    }>;
  telemetry: Offered<TelemetryApi, Specs['kong.telemetry'], Ph, Pr, V>;
  vault: Offered<VaultApi, Specs['kong.vault'], Ph, Pr, V>;
}>;

/**
 * Every function of the catalogue, whatever phase and protocol: what createKong makes. A call that does not belong
 * there rejects with PDK_NOT_IN_PHASE or PDK_NOT_IN_PROTOCOL, and nothing is sent.
 */
export interface KongApi {
  readonly client: ClientApi & { readonly tls: ClientTlsApi };
  readonly cluster: ClusterApi;
  readonly ctx: { readonly shared: SharedApi };
  readonly ip: IpApi;
  readonly log: PlainLog & LogApi;
  readonly nginx: NginxApi;
  readonly node: NodeApi;
  readonly plugin: PluginApi;
  readonly request: RequestApi;
  readonly response: ResponseApi;
  readonly router: RouterApi;
  readonly service: ServiceApi & {
    readonly request: ServiceRequestApi;
    readonly response: ServiceResponseApi;
  };
  readonly telemetry: TelemetryApi;
  readonly vault: VaultApi;
}
