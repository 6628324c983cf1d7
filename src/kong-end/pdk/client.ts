import { isUuid } from '../../base/uuid.ts';
import type { ConsumerEntity } from '../entities/types.ts';
import { reject, text } from './checks.ts';
import { withoutNulls } from '../plugin-server/instance-config.ts';
import type { Implementations, PdkCall } from './types.ts';

/** An entity as Lua has it: without nulls. */
export function entity(value: unknown): unknown {
  return value === null || value === undefined ? null : withoutNulls(value);
}

/** Consumers and credentials carry no workspace id where plugins see them (measured on Kong 3.9.3). */
export function withoutWorkspace(value: object | null | undefined): unknown {
  return value === null || value === undefined ? null : withoutNulls({ ...value, ws_id: null });
}

function loadConsumer(call: PdkCall, id: string, byUsername: boolean): unknown {
  const workspace = call.exchange.workspace?.id;
  const { consumers } = call.exchange.node.snapshot();
  const here = consumers.filter((each) => each.ws_id === undefined || each.ws_id === workspace);
  const found = here.find((each) => each.id === id);
  if (found !== undefined) return withoutWorkspace(found);
  return byUsername ? withoutWorkspace(here.find((each) => each.username === id)) : null;
}

function protocolOf(call: PdkCall, allowTerminated: boolean): string {
  const { exchange } = call;
  const protocols = exchange.route?.protocols ?? [];
  if (protocols.length === 1) return protocols[0] as string;
  if (exchange.subsystem === 'stream') return exchange.tls === null ? 'tcp' : 'tls';
  const forwarded = 'forwarded' in exchange ? (exchange.forwarded as { proto: string }).proto : 'http';
  const secure = exchange.tls !== null || (allowTerminated && forwarded === 'https');
  const grpc =
    protocols.some((each) => each.startsWith('grpc')) && !protocols.some((each) => each.startsWith('http'));
  return `${grpc ? 'grpc' : 'http'}${secure ? 's' : ''}`;
}

export const clientFunctions: Implementations = {
  'kong.client.get_ip': ({ exchange }) => exchange.client.ip,
  'kong.client.get_forwarded_ip': ({ exchange }) => exchange.realIp,
  'kong.client.get_port': ({ exchange }) => exchange.client.port,
  'kong.client.get_forwarded_port': ({ exchange }) => exchange.client.port,
  'kong.client.get_credential': ({ exchange }) => withoutWorkspace(exchange.credential),
  'kong.client.get_consumer': ({ exchange }) => withoutWorkspace(exchange.consumer),
  'kong.client.get_protocol': (call, [allowTerminated]) => protocolOf(call, allowTerminated === true),
  'kong.client.load_consumer': (call, [id, byUsername]) => {
    const name = text(id, 'consumer_id');
    if (byUsername !== true && !isUuid(name))
      return reject('cannot load a consumer with an id that is not a uuid');
    return loadConsumer(call, name, byUsername === true);
  },
  'kong.client.authenticate': ({ exchange }, [consumer, credential]) => {
    if (consumer != null && typeof consumer !== 'object') return reject('consumer must be a table or nil');
    if (credential != null && typeof credential !== 'object')
      return reject('credential must be a table or nil');
    if (consumer == null && credential == null)
      return reject('either credential or consumer must be provided');
    exchange.consumer = (consumer ?? null) as ConsumerEntity | null;
    exchange.credential = credential ?? null;
    return null;
  },
};
