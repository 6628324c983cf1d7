import type { StartedNetwork, StartedTestContainer } from 'testcontainers';
import { KongTsError, messageOf } from '../../base/errors.ts';
import { LogBook } from './log-book.ts';
import { stopAll } from './stop-all.ts';
import { loadTestcontainers, requireImage } from './testcontainers.ts';

const account = 'kong';

/** A Postgres for one Kong, on a network of their own, with Kong's tables in it. */
export interface Database {
  readonly network: StartedNetwork;
  readonly environment: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

export interface DatabaseOptions {
  readonly image: string;
  readonly kongImage: string;
  /** Kong's whole environment with the variables of the database: the commands read plugin server settings, too. */
  readonly environment: (database: Readonly<Record<string, string>>) => Record<string, string>;
  readonly mounts: readonly { source: string; target: string; mode: 'ro' | 'rw' }[];
  readonly pull: 'missing' | 'never';
  readonly startupTimeout: number;
}

/** Starts Postgres and runs Kong's migrations. @throws KongTsError CONTAINER_FAILED */
export async function startDatabase(options: DatabaseOptions): Promise<Database> {
  const { GenericContainer, Network, Wait } = await loadTestcontainers();
  await requireImage(options.image, options.pull);
  const network = await new Network().start();
  const log = new LogBook();
  let postgres: StartedTestContainer | null = null;
  try {
    postgres = await new GenericContainer(options.image)
      .withNetwork(network)
      .withNetworkAliases('database')
      .withEnvironment({ POSTGRES_USER: account, POSTGRES_DB: account, POSTGRES_PASSWORD: account })
      .withLogConsumer(log.consume)
      // The first start is the one that makes the database; it listens to nobody else.
      .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/, 2))
      .withStartupTimeout(options.startupTimeout)
      .start();
    const environment = {
      KONG_DATABASE: 'postgres',
      KONG_PG_HOST: 'database',
      KONG_PG_USER: account,
      KONG_PG_DATABASE: account,
      KONG_PG_PASSWORD: account,
    };
    const migrations = await new GenericContainer(options.kongImage)
      .withNetwork(network)
      .withEnvironment(options.environment(environment))
      .withBindMounts([...options.mounts])
      .withCommand(['kong', 'migrations', 'bootstrap'])
      .withLogConsumer(log.consume)
      .withWaitStrategy(Wait.forOneShotStartup())
      .withStartupTimeout(options.startupTimeout)
      .start();
    await migrations.stop();
    const database = postgres;
    return {
      network,
      environment,
      stop: () => stopAll([() => database.stop(), () => network.stop()]),
    };
  } catch (error) {
    await stopAll([() => postgres?.stop(), () => network.stop()]).catch(() => undefined);
    throw new KongTsError(
      'CONTAINER_FAILED',
      `Postgres with Kong's tables did not start: ${messageOf(error)}\n${log.tail(40)}`,
      { cause: error },
    );
  }
}
