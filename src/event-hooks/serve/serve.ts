import { rmSync } from 'node:fs';
import { KongTsError, messageOf } from '../../errors.ts';
import { createAdmin } from '../admin/server.ts';
import { createDispatcher } from '../dispatcher/index.ts';
import type { Dispatcher } from '../dispatcher/index.ts';
import { createFront } from '../front/front.ts';
import { grpcTarget } from '../grpc/address.ts';
import type { Address } from '../grpc/address.ts';
import type { GrpcHandle } from '../grpc/server.ts';
import { KongWatch } from '../watcher/kong-watch.ts';
import type { ServeOptions } from './options.ts';

export interface Served {
  dispatcher: Dispatcher;
  /** What clients connect to, null where that door is shut. */
  grpc: string | null;
  /** A URL, or `unix:/path`. */
  admin: string | null;
  /** Ends in order: no new calls, what is in flight finishes, everything is stored. */
  stop(): Promise<void>;
}

const loopback = new Set(['127.0.0.1', '::1', 'localhost']);

/** Starts a dispatcher with gRPC and Admin API. @throws KongTsError; then nothing is left running */
export async function serveDispatcher(options: ServeOptions): Promise<Served> {
  const dispatcher = await createDispatcher(options.dispatcher);
  const watch = options.kong === null ? null : new KongWatch(dispatcher, options.kong);
  const front = options.kong === null || watch === null ? null : createFront(options.kong.url, watch);
  const admin = createAdmin(dispatcher, { token: options.adminToken, front });
  let grpc: GrpcHandle | null = null;
  const stop = async (): Promise<void> => {
    await Promise.all([admin.close(), grpc?.close(), watch?.close()]);
    front?.close();
    await dispatcher.stop();
  };
  try {
    if (options.listen !== null) {
      const { serveGrpc } = await import('../grpc/server.ts');
      grpc = await serveGrpc(dispatcher, { address: options.listen, token: options.token, tls: options.tls });
    }
    const url = options.admin === null ? null : await listen(admin, options.admin, options.reusePort);
    if (options.admin?.kind === 'tcp' && !loopback.has(options.admin.host) && options.adminToken === null) {
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

async function listen(
  admin: ReturnType<typeof createAdmin>,
  address: Address,
  reusePort: boolean,
): Promise<string> {
  try {
    if (address.kind === 'unix') {
      rmSync(address.path, { force: true });
      await admin.listen({ path: address.path });
      return `unix:${address.path}`;
    }
    const options = { host: address.host, port: address.port, reusePort };
    return await admin.listen(options);
  } catch (error) {
    throw new KongTsError(
      'PORT_IN_USE',
      `The Admin API cannot listen on ${grpcTarget(address)}: ${messageOf(error)}.`,
      {
        cause: error,
        fix: 'Choose another address with --admin.',
      },
    );
  }
}
