import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { freePort } from './server.ts';

const cache = fileURLToPath(
  new URL('../../../node_modules/.cache/kong-ts-tests/pglite.tar', import.meta.url),
);

/** A new cluster takes seconds to make, a copy of one that was made before a part of a second. */
async function newCluster(): Promise<PGlite> {
  try {
    return await PGlite.create({ loadDataDir: new Blob([readFileSync(cache)]) });
  } catch {
    const made = await PGlite.create();
    const dump = Buffer.from(await (await made.dumpDataDir('none')).arrayBuffer());
    mkdirSync(dirname(cache), { recursive: true });
    const own = `${cache}.${String(process.pid)}`;
    writeFileSync(own, dump);
    renameSync(own, cache);
    return made;
  }
}

/** A PostgreSQL within this process, behind a port as a server is. */
export async function startEmbedded(): Promise<{ url: string; end: () => Promise<void> }> {
  const db = await newCluster();
  const port = await freePort();
  const server = new PGLiteSocketServer({ db, port, host: '127.0.0.1', maxConnections: 100 });
  await server.start();
  return {
    url: `postgres://postgres@127.0.0.1:${String(port)}/postgres`,
    end: async () => {
      await server.stop();
      await db.close();
    },
  };
}
