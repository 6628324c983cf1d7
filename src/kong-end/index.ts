/**
 * Kong's end of a plugin server's socket, and the request on its way there. The sandbox and the testing kit use both.
 */
export {
  DeclarativeError,
  Problems,
  UnreadableDocument,
  collectEntities,
  declarativeSummary,
  exportDeclarative,
  flattenErrors,
  loadDeclarative,
  loadDeclarativeObject,
  loadDeclarativeText,
  parseDocument,
  pathText,
  readRoot,
  workspaceIdFor,
} from './declarative/index.ts';
export type { DeclaredEntity, EntityPath, LoadOptions } from './declarative/index.ts';
export { pluginSchema } from './entities/definitions/plugins.ts';
export {
  Dao,
  EntityError,
  compileRegistry,
  createEntityStore,
  createRegistry,
  defaultWorkspaceId,
  entityErrors,
  foreignId,
  keyAuthPlugin,
  page,
  parseTags,
  tagPage,
  workspaceOf,
} from './entities/index.ts';
export type {
  Entity,
  EntityDefinition,
  EntityKind,
  KnownPlugin,
  MutableEntityStore,
  Registry,
} from './entities/index.ts';
export type {
  CertificateEntity,
  ConfigSnapshot,
  ConsumerEntity,
  EntityStore,
  KeyAuthCredentialEntity,
  PluginEntity,
  RouteEntity,
  ServiceEntity,
} from './entities/types.ts';
export { callFunction } from './pdk/call.ts';
export type { PdkCall } from './pdk/types.ts';
export type { AnswerCall, PluginClient } from './plugin-server/client.ts';
export type { SavedRequest } from './plugin-server/coroutines.ts';
export { PdkExit, PdkRejection } from './plugin-server/failure.ts';
export { handleEvent } from './plugin-server/handle-event.ts';
export { withoutNulls } from './plugin-server/instance-config.ts';
export type { PluginServerOptions } from './plugin-server/options.ts';
export { clientFor } from './plugin-server/remote-plugin.ts';
export { PluginServers } from './plugin-server/servers.ts';
export { NginxWorker } from './plugin-server/worker.ts';
export { acceptAnswer, acceptWholeAnswer } from './request/accept-answer.ts';
export { Balancer, NoPeer, UnresolvedPeer } from './request/balancer.ts';
export type { Peer } from './request/balancer.ts';
export type { BodyContent } from './request/body.ts';
export { latin1OfText, rawHeaderLines, requestTarget } from './request/bytes.ts';
export { connectionOf, wantsWebSocket } from './request/connection-header.ts';
export { Exchange, now } from './request/exchange.ts';
export type { Destination, TlsInfo, Try } from './request/exchange.ts';
export type { PhaseReport } from './request/phase-report.ts';
export { HeaderList } from './request/headers.ts';
export { HttpExchange, plainIp } from './request/http-exchange.ts';
export { createLog, logLevels } from './request/log.ts';
export type { LogLevel, SandboxLog } from './request/log.ts';
export { createNodeState, kongVersion, serverHeader } from './request/node-state.ts';
export type { NodeState } from './request/node-state.ts';
export { PluginTable } from './request/plugins.ts';
export type { BoundPlugin, PhaseOutcome, PluginHandler } from './request/exchange.ts';
export { InvalidAnswer, parseAnswerHead } from './request/upstream-answer-head.ts';
export type { AnswerFraming, AnswerHead } from './request/upstream-answer-head.ts';
export { dropHopByHop, tlsName, upstreamHead } from './request/upstream-request.ts';
export { formatQuery } from './request/uri.ts';
export { compileServerNames } from './router/router-hosts.ts';
export { Router } from './router/router.ts';
export { assignWorkspace, destinationOf, route } from './router/routing.ts';
export {
  asRecord,
  asSequence,
  eachField,
  getPath,
  isDeeperThan,
  isObject,
  isTable,
  pluginRefusals,
  schemaToJson,
  violationMessage,
} from './schema/index.ts';
export type { Field, FieldSchema, NamedField, PlainObject, SchemaDefinition, Shape } from './schema/index.ts';
