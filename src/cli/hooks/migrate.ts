import type { Command } from 'commander';

/** `hooks migrate`: the schema of a store in PostgreSQL, made or brought forward by itself. */
export function addMigrate(hooks: Command): void {
  hooks
    .command('migrate')
    .description('make the schema of a store in PostgreSQL, or bring it forward to this program')
    .option('--store <url>', 'postgres://USER@HOST:PORT/DATABASE (or KONG_TS_HOOKS_STORE)')
    .option('--store-password-file <file>', 'a file with the password (or KONG_TS_HOOKS_STORE_PASSWORD)')
    .action(async ({ store, storePasswordFile }: { store?: string; storePasswordFile?: string }) => {
      const { migrateStore } = await import('../../event-hooks/serve/index.ts');
      const { schema, database, from, to } = await migrateStore(store, storePasswordFile, process.env);
      process.stdout.write(`The schema ${schema} in ${database} ${whatHappened(from, to)}.\n`);
    });
}

function whatHappened(from: number, to: number): string {
  if (from === to) return `has version ${String(to)} already`;
  if (from === 0) return `was made with version ${String(to)}`;
  return `went from version ${String(from)} to ${String(to)}`;
}
