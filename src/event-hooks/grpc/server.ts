import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import type {
  Metadata,
  ServerDuplexStream,
  ServerUnaryCall,
  ServerWritableStream,
  sendUnaryData,
} from '@grpc/grpc-js';
import { maxConnections as usualConnections } from '../../base/connections.ts';
import { KongTsError, messageOf } from '../../base/errors.ts';
import { sameText } from '../../base/same-text.ts';
import type { Dispatcher } from '../dispatcher/dispatcher.ts';
import type { PlacedSocket } from '../../unix/index.ts';
import { placeSocket } from '../../unix/index.ts';
import { Backlog } from '../dispatcher/backlog.ts';
import { grpcTarget } from './address.ts';
import type { Address } from './address.ts';
import { withConnectionLimit } from './connection-limit.ts';
import { serveEmit } from './emit-stream.ts';
import { eventHooksService } from './service.ts';
import type { EmitRequest, EmitResponse, SubscribeRequest, WireDeclaration, WireNotice } from './service.ts';
import { noticeBytes, toWireNotice } from './notice.ts';

export interface GrpcOptions {
  address: Address;
  /** Asked for as `authorization: Bearer ...`. TCP needs it, or `tls`. */
  token?: string | null;
  /** PEM texts; callers show a certificate of `ca`. */
  tls?: { ca: string; cert: string; key: string } | null;
  /** Of a unix socket. Default 0660: plugin servers may run as another user of the same group. */
  mode?: number;
  /** How long a connection without requests may stay open, in milliseconds. Default 60,000. */
  idleMs?: number;
  /** Connections at a time; more are closed at once. Default 1,024. */
  maxConnections?: number;
}

export interface GrpcHandle {
  /** The address for clients, with the port that the system chose if 0 was asked for. */
  address: Address;
  close(): Promise<void>;
}

const maxMessageBytes = 16 * 1024 * 1024;
/** How much may wait for one subscriber, and for all of them, in bytes. */
const maxBacklog = 4 * 1024 * 1024;
const maxBacklogs = 64 * 1024 * 1024;

/**
 * Serves `proto/event_hooks.proto` for a dispatcher.
 * @throws KongTsError USAGE for TCP without token and TLS, SOCKET_IN_USE, SOCKET_UNUSABLE, PORT_IN_USE
 */
export async function serveGrpc(dispatcher: Dispatcher, options: GrpcOptions): Promise<GrpcHandle> {
  const { address, token = null, tls = null, mode = 0o660, idleMs = 60_000 } = options;
  const { maxConnections = usualConnections } = options;
  if (address.kind === 'tcp' && token === null && tls === null) {
    throw new KongTsError(
      'USAGE',
      `Event hooks on TCP (${grpcTarget(address)}) need a token or mutual TLS.`,
      {
        fix: 'Set KONG_TS_HOOKS_TOKEN, give --tls-ca, --tls-cert and --tls-key, or listen on a unix socket.',
      },
    );
  }
  const server = new Server({
    'grpc.max_receive_message_length': maxMessageBytes,
    'grpc.max_concurrent_streams': 1000,
    'grpc.max_connection_idle_ms': idleMs,
    // A client that does not answer is gone.
    'grpc.keepalive_time_ms': 60_000,
    'grpc.keepalive_timeout_ms': 20_000,
  });
  const allowed = (metadata: Metadata): boolean => token === null || sameToken(metadata, token);
  server.addService(eventHooksService() as never, handlers(dispatcher, allowed));
  const credentials =
    tls === null || address.kind === 'unix'
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(
          Buffer.from(tls.ca),
          [{ cert_chain: Buffer.from(tls.cert), private_key: Buffer.from(tls.key) }],
          true,
        );
  if (address.kind === 'tcp') {
    const port = await bind(server, address, credentials, maxConnections);
    return { address: { ...address, port }, close: () => closeServer(server, null) };
  }
  const placed = await placeSocket(address.path, { mode, owner: null, live: 'refuse' }, (temporary) =>
    bind(server, { kind: 'unix', path: temporary }, credentials, maxConnections),
  );
  return { address, close: () => closeServer(server, placed) };
}

function handlers(dispatcher: Dispatcher, allowed: (metadata: Metadata) => boolean): Record<string, never> {
  const backlog = new Backlog(maxBacklog, maxBacklogs);
  const refusal = { code: status.UNAUTHENTICATED, details: 'the token is missing or wrong' };
  const unary =
    <Request, Response>(run: (request: Request) => Response) =>
    (call: ServerUnaryCall<Request, Response>, done: sendUnaryData<Response>): void => {
      if (allowed(call.metadata)) done(null, run(call.request));
      else done(refusal);
    };
  return {
    publish: unary(({ declarations }: { declarations: WireDeclaration[] }) => {
      const refused = declarations.flatMap((one, index) => {
        const reason = dispatcher.publish(one);
        return reason === null ? [] : [{ index, reason }];
      });
      return { refused };
    }),
    listSources: unary(() => ({
      declarations: dispatcher.sources.list().map((one) => ({ unique: [], description: '', ...one })),
    })),
    emit: (call: ServerDuplexStream<EmitRequest, EmitResponse>) => {
      if (allowed(call.metadata)) serveEmit(dispatcher, call);
      else call.emit('error', refusal);
    },
    subscribe: (call: ServerWritableStream<SubscribeRequest, WireNotice>) => {
      if (!allowed(call.metadata)) {
        call.emit('error', refusal);
        return;
      }
      const { sources, withoutEvents, withoutDeliveries } = call.request;
      const reader = backlog.reader();
      const end = dispatcher.feed.tail((notice) => {
        if (notice.type === 'event' ? withoutEvents : withoutDeliveries) return;
        if (sources.length > 0 && !sources.includes(notice.source)) return;
        const bytes = noticeBytes(notice);
        if (!reader.take(bytes)) {
          end();
          call.emit('error', { code: status.RESOURCE_EXHAUSTED, details: 'the subscriber reads too slowly' });
          return;
        }
        // Called when the bytes have left, or when they never will.
        call.write(toWireNotice(notice), () => {
          reader.left(bytes);
        });
      });
      const leave = (): void => {
        end();
        reader.leave();
      };
      call.on('cancelled', leave).on('error', end).on('close', leave);
    },
  } as unknown as Record<string, never>;
}

async function bind(
  server: Server,
  address: Address,
  credentials: ServerCredentials,
  maxConnections: number,
): Promise<number> {
  try {
    return await new Promise<number>((resolve, reject) => {
      withConnectionLimit(maxConnections, () =>
        server.bindAsync(grpcTarget(address), credentials, (error, port) => {
          if (error === null) resolve(port);
          else reject(error);
        }),
      );
    });
  } catch (error) {
    const code = address.kind === 'unix' ? 'SOCKET_UNUSABLE' : 'PORT_IN_USE';
    throw new KongTsError(code, `Event hooks cannot listen on ${grpcTarget(address)}: ${messageOf(error)}.`, {
      cause: error,
      fix: 'Choose another address with --listen.',
    });
  }
}

function closeServer(server: Server, placed: PlacedSocket | null): Promise<void> {
  placed?.remove();
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      server.forceShutdown();
    }, 300);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

const sameToken = (metadata: Metadata, token: string): boolean =>
  sameText(String(metadata.get('authorization')[0] ?? ''), `Bearer ${token}`);
