import http from 'node:http';
import type { AddressInfo } from 'node:net';

type Fields = Record<string, unknown>;

/** An Admin API that takes everything: PUT and POST keep what they get, GET lists it. For kinds that the sandbox does not have. */
export interface MemoryAdmin {
  readonly url: string;
  /** Entities by collection and id. */
  readonly kept: ReadonlyMap<string, ReadonlyMap<string, Fields>>;
  /** What was written: `PUT /vaults/ID`. */
  readonly writes: readonly string[];
  close(): Promise<void>;
}

/** @param refuse gives Kong's answer for what it does not take, and null for the rest */
export async function startMemoryAdmin(
  refuse: (method: string, path: string) => { status: number; body: object } | null = () => null,
): Promise<MemoryAdmin> {
  const kept = new Map<string, Map<string, Fields>>();
  const writes: string[] = [];
  const answer = (method: string, path: string, body: Fields): { status: number; body: object } => {
    const refused = refuse(method, path);
    if (refused !== null) return refused;
    if (method === 'GET')
      return { status: 200, body: { data: [...(kept.get(path)?.values() ?? [])], next: null } };
    writes.push(`${method} ${path}`);
    const [, collection = path, id = typeof body['id'] === 'string' ? body['id'] : String(writes.length)] =
      method === 'POST' ? [path, path] : (/^(.+)\/([^/]+)$/.exec(path) ?? []);
    const entities = kept.get(collection) ?? new Map<string, Fields>();
    entities.set(id, { ...(method === 'PATCH' ? entities.get(id) : {}), ...body, id });
    kept.set(collection, entities);
    return { status: 200, body: entities.get(id) ?? {} };
  };
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      const path = (request.url ?? '').replace(/\?.*$/, '');
      const { status, body } = answer(
        request.method ?? '',
        path,
        text === '' ? {} : (JSON.parse(text) as Fields),
      );
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    kept,
    writes,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
