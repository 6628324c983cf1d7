/** The PDK: what plugins call, and what the rooms around it build on. */
export { catalogue, namespaces, rowByName } from './catalogue.ts';
export type { FunctionRow } from './catalogue.ts';
export { ExitSignal } from './channel.ts';
export type { PhaseChannel } from './channel.ts';
export { createKong } from './kong.ts';
export { phases } from './phases.ts';
export type { Phase, Protocol } from './phases.ts';
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
export type { Kong, KongApi } from './types/kong.ts';
export type { KongVersion } from './versions.ts';
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
