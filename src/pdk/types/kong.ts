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

/** The phases of these in which a function cannot be called, over any of the protocols. */
type Missing<Spec, Ph extends Phase, Pr extends Protocol> = Pr extends Protocol
  ? Exclude<Ph, OfferedPhases<Spec, Pr>>
  : never;

/**
 * Stands in place of a function that Kong does not offer in the phase. Calling it does not compile, and the compiler's message names
 * this type. A function is one, too, so that the `kong` of one phase is the `kong` of several phases.
 */
export interface NotInPhase<Ph extends Phase> {
  valueOf(): Ph | object;
}

/** Stands in place of a function that MsgPack:1 alone carries: the plugin needs `protocol: 'msgpack'`. See NotInPhase. */
export interface OnlyOverMsgPack<Cure extends string = "protocol: 'msgpack'"> {
  valueOf(): Cure | object;
}

/** Stands in place of a function that Kong has since this version: see `kong` of definePlugin, and NotInPhase. */
export interface OnlySinceKong<V extends KongVersion> {
  valueOf(): V | object;
}

/** Why a function cannot be called there. */
type Refused<Spec, Ph extends Phase, Pr extends Protocol> = [Pr] extends ['protobuf']
  ? [Missing<Spec, Ph, 'msgpack'>] extends [never]
    ? OnlyOverMsgPack
    : NotInPhase<Missing<Spec, Ph, Pr>>
  : NotInPhase<Missing<Spec, Ph, Pr>>;

/** What the catalogue calls a namespace, and the interface with its functions. */
interface Apis {
  readonly 'kong.client': ClientApi;
  readonly 'kong.client.tls': ClientTlsApi;
  readonly 'kong.cluster': ClusterApi;
  readonly 'kong.ctx.shared': SharedApi;
  readonly 'kong.ip': IpApi;
  readonly 'kong.log': LogApi;
  readonly 'kong.nginx': NginxApi;
  readonly 'kong.node': NodeApi;
  readonly 'kong.plugin': PluginApi;
  readonly 'kong.request': RequestApi;
  readonly 'kong.response': ResponseApi;
  readonly 'kong.router': RouterApi;
  readonly 'kong.service': ServiceApi;
  readonly 'kong.service.request': ServiceRequestApi;
  readonly 'kong.service.response': ServiceResponseApi;
  readonly 'kong.telemetry': TelemetryApi;
  readonly 'kong.vault': VaultApi;
}

/** The catalogue's row of a function. serializeRaw is serialize without the parse. */
type RowOf<Path extends keyof Apis, Name> = Name extends keyof Specs[Path]
  ? Specs[Path][Name]
  : Name extends 'serializeRaw'
    ? Specs['kong.log']['serialize']
    : never;

/** The functions of a namespace. The types of those that cannot be called there say why. */
type Functions<Path extends keyof Apis, Ph extends Phase, Pr extends Protocol, V extends KongVersion> = {
  [Name in keyof Apis[Path]]: IsThere<RowOf<Path, Name>, V> extends true
    ? [Missing<RowOf<Path, Name>, Ph, Pr>] extends [never]
      ? Apis[Path][Name]
      : Refused<RowOf<Path, Name>, Ph, Pr>
    : OnlySinceKong<SinceOf<RowOf<Path, Name>>>;
};

type SinceOf<Spec> = Spec extends { readonly since: infer Since extends KongVersion } ? Since : never;

/**
 * What a handler gets: Kong's PDK. A function that this phase, this protocol or this version of Kong (default 3.9) does not have
 * cannot be called, and its type says why: NotInPhase, OnlyOverMsgPack, OnlySinceKong. The masks are the catalogue's own. Of
 * several phases or protocols (`Kong<'access' | 'response'>`), what all of them have can be called.
 */
export type Kong<
  Ph extends Phase = Phase,
  Pr extends Protocol = Protocol,
  V extends KongVersion = DefaultKongVersion,
> = {
  /** Who sent the request. */
  readonly client: Functions<'kong.client', Ph, Pr, V> & {
    /** The client's TLS connection. */
    readonly tls: Functions<'kong.client.tls', Ph, Pr, V>;
  };
  /** The cluster that this Kong belongs to. */
  readonly cluster: Functions<'kong.cluster', Ph, Pr, V>;
  /** Values that plugins leave for each other, for the length of a request. */
  readonly ctx: { readonly shared: Functions<'kong.ctx.shared', Ph, Pr, V> };
  /** Addresses, by Kong's configuration. */
  readonly ip: Functions<'kong.ip', Ph, Pr, V>;
  /** Kong's own log, and the record of the request. */
  readonly log: PlainLog & Functions<'kong.log', Ph, Pr, V>;
  /** nginx below Kong. */
  readonly nginx: Functions<'kong.nginx', Ph, Pr, V>;
  /** This Kong. */
  readonly node: Functions<'kong.node', Ph, Pr, V>;
  /** This plugin in Kong. */
  readonly plugin: Functions<'kong.plugin', Ph, Pr, V>;
  /** The request of the client. */
  readonly request: Functions<'kong.request', Ph, Pr, V>;
  /** The answer to the client. */
  readonly response: Functions<'kong.response', Ph, Pr, V>;
  /** What matched. */
  readonly router: Functions<'kong.router', Ph, Pr, V>;
  /** The service behind Kong. */
  readonly service: Functions<'kong.service', Ph, Pr, V> & {
    /** The request to the service. */
    readonly request: Functions<'kong.service.request', Ph, Pr, V>;
    /** The answer of the service. */
    readonly response: Functions<'kong.service.response', Ph, Pr, V>;
  };
  /** Telemetry. */
  readonly telemetry: Functions<'kong.telemetry', Ph, Pr, V>;
  /** Secrets in vaults. */
  readonly vault: Functions<'kong.vault', Ph, Pr, V>;
};

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
