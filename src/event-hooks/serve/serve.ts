import { KongTsError, messageOf } from '../../base/errors.ts';
import { createAdmin } from '../admin/server.ts';
import { createDispatcher } from '../dispatcher/dispatcher.ts';
import type { Dispatcher } from '../dispatcher/dispatcher.ts';
import type { Callers } from '../../http/index.ts';
import { isLoopback } from '../../http/index.ts';
import { grpcTarget } from '../grpc/address.ts';
import type { Address } from '../grpc/address.ts';
import type { GrpcHandle } from '../grpc/server.ts';
import { withoutUserInfo } from '../../base/user-info.ts';
import { createFront, KongWatch } from '../../kong-watch/index.ts';
import type { PlacedSocket } from '../../unix/index.ts';
import { placeSocket } from '../../unix/index.ts';
import { written } from './flags.ts';
import type { ServeOptions } from './options.ts';
import { serverReports } from './server-report.ts';
import { watchPort } from './watch-port.ts';

export interface Served {
  dispatcher: Dispatcher;
  /** The addresses for clients, null if a door is shut. */
  grpc: string | null;
  /** A URL, or `unix:/path`. */
  admin: string | null;
  /** Ends in order: it takes no new calls, finishes those in flight, and stores everything. */
  stop(): Promise<void>;
}

/** Whether other machines may reach it. A unix socket has its permissions. */
const isExposed = (address: Address | null): boolean => address?.kind === 'tcp' && !isLoopback(address.host);

/** Which callers a TCP listener takes. Null for a unix socket, which has its permissions. */
const callersOf = ({ admin, allowHosts }: ServeOptions): Callers | null =>
  admin?.kind === 'tcp' ? { loopback: isLoopback(admin.host), names: allowHosts } : null;

/** Starts a dispatcher with gRPC and Admin API. @throws KongTsError; then nothing is left running */
export async function serveDispatcher(options: ServeOptions): Promise<Served> {
  const dispatcher = await createDispatcher(options.dispatcher);
  const watch = options.kong === null ? null : new KongWatch(watchPort(dispatcher), options.kong);
  dispatcher.watchesKong = watch !== null;
  const exposed = isExposed(options.admin);
  const callers = callersOf(options);
  const front = watch === null ? null : frontOf(options, watch);
  const admin = createAdmin(dispatcher, {
    token: options.adminToken,
    readToken: options.readToken,
    payloadView: options.payloadView,
    callers,
    front,
    server: serverReports(options.serverControl),
    watcher: watch,
  });
  let grpc: GrpcHandle | null = null;
  let placed: PlacedSocket | null = null;
  const stop = async (): Promise<void> => {
    placed?.remove();
    await Promise.all([admin.close(), grpc?.close(), watch?.close()]);
    front?.close();
    await dispatcher.stop();
  };
  try {
    if (options.listen !== null) {
      const { serveGrpc } = await import('../grpc/server.ts');
      grpc = await serveGrpc(dispatcher, {
        address: options.listen,
        token: options.token,
        tls: options.tls,
        // A dispatcher that a plugin server has started serves only that server's workers.
        ...(options.reusePort ? { mode: 0o600 } : {}),
      });
    }
    let url: string | null = null;
    if (options.admin?.kind === 'unix') {
      const live = options.reusePort ? 'take over' : 'refuse';
      // Everybody who may write to it acts in Kong with the login of --kong-admin.
      placed = await placeSocket(options.admin.path, { mode: 0o600, owner: null, live }, (temporary) =>
        admin.listen({ path: temporary }),
      );
      url = `unix:${placed.path}`;
    } else if (options.admin !== null) url = await listen(admin, options.admin, options);
    if (exposed) warnOfLogin(options.kong, dispatcher.options.log);
    if (exposed && options.adminToken === null) {
      dispatcher.options.log.warn('the Admin API of event hooks is open to the network without a token', {
        admin: url,
      });
    }
    watch?.start();
    return { dispatcher, grpc: grpc === null ? null : grpcTarget(grpc.address), admin: url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Stands in front of Kong, and lends its login where that is meant. */
function frontOf(options: ServeOptions, watch: KongWatch): ReturnType<typeof createFront> | null {
  if (options.kong === null) return null;
  const lends = !isExposed(options.admin) || options.kong.lendLogin;
  return createFront(options.kong.url, watch, lends ? (callersOf(options) ?? 'everybody') : null);
}

/** Everybody who reaches the port acts with the login in the URL, or finds that it is not lent. */
function warnOfLogin(kong: ServeOptions['kong'], log: Dispatcher['options']['log']): void {
  if (kong === null || withoutUserInfo(kong.url).authorization === null) return;
  log.warn(
    kong.lendLogin
      ? 'whoever reaches this port acts in Kong with user and password of --kong-admin (--lend-kong-login)'
      : 'user and password of --kong-admin are not sent for clients of this port, since it is not loopback: ' +
          'they need an Authorization of their own, or --lend-kong-login',
  );
}

async function listen(
  admin: ReturnType<typeof createAdmin>,
  address: Extract<Address, { kind: 'tcp' }>,
  { reusePort, command }: ServeOptions,
): Promise<string> {
  try {
    const options = { host: address.host, port: address.port, reusePort };
    return await admin.listen(options);
  } catch (error) {
    throw new KongTsError(
      'PORT_IN_USE',
      `The Admin API cannot listen on ${grpcTarget(address)}: ${messageOf(error)}.`,
      {
        cause: error,
        fix: `Choose another address with ${written('admin', command)}.`,
      },
    );
  }
}
