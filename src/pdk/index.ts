/** The PDK: what plugins call, and what the rooms around it build on. */
export { catalogue, namespaces, rowByName } from './catalogue.ts';
export type { FunctionRow } from './catalogue.ts';
export { ExitSignal } from './channel.ts';
export type { PhaseChannel } from './channel.ts';
export { createKong } from './kong.ts';
export { phases } from './names/phases.ts';
export type { Phase, Protocol } from './names/phases.ts';
export type {
  Consumer,
  ConsumerInput,
  Credential,
  CredentialInput,
  Endpoint,
  Reference,
  Route,
  RouteProtocol,
  Service,
} from './types/entities.ts';
export type { Kong, KongApi, NotInPhase, OnlyOverMsgPack, OnlySinceKong } from './types/kong.ts';
export type { KongVersion } from './names/versions.ts';
export type {
  HttpLogRecord,
  LoggedConsumer,
  LoggedRoute,
  LoggedService,
  LoggedTry,
  LogRecord,
  StreamLogRecord,
} from './types/log-record.ts';
export type {
  ExitBody,
  Headers,
  HeadersInput,
  HeaderValue,
  HttpMethod,
  JsonValue,
  MemoryStats,
  NginxStatistics,
  ParsedBody,
  Query,
  QueryInput,
  UriCaptures,
  VaultReference,
} from './types/values.ts';
export { errorMessage } from './bodies/error-body.ts';
export type { ResultKind } from './catalogue.ts';
export type { ContextValues, KongFacts } from './channel.ts';
export { keepUnchecked, nameOfKept } from './context-values.ts';
export { isSendable } from './ctx-keys.ts';
export { checkedArguments, pdkFunction, refusalOf } from './functions.ts';
export { canShare, effectsOf, everything, fieldsOf, pluralOf, sameName } from './merging.ts';
export type { Effects, Fields, Plural } from './merging.ts';
export { madeInLog } from './methods.ts';
