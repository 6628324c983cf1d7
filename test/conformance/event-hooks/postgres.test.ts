import { afterAll, beforeAll } from 'vitest';
import { emptied, openTimed, startPostgres } from '../../support/postgres/stores.ts';
import type { Postgres } from '../../support/postgres/stores.ts';
import { storeConformance } from './store-suite.ts';

let postgres: Postgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.end());

storeConformance('postgres', async () => {
  await emptied(postgres.url);
  let store = await openTimed(postgres.url);
  return {
    store,
    reopen: async () => {
      await store.close();
      store = await openTimed(postgres.url);
      return store;
    },
    second: () => openTimed(postgres.url),
    end: async () => {
      await store.close();
    },
  };
});
