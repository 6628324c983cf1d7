import { createAdminApi } from '../../../../src/sandbox/admin/index.ts';
import type { AdminOptions } from '../../../../src/sandbox/admin/index.ts';
import { createEntityStore } from '../../../../src/kong-end/entities/index.ts';
import { listen } from '../../../support/listen.ts';
import type { KnownPlugin, MutableEntityStore } from '../../../../src/kong-end/entities/index.ts';

export type Json = Record<string, unknown>;

export const demoPlugin: KnownPlugin = {
  name: 'demo',
  version: '1.0.0',
  priority: 10,
  phases: ['access'],
  schema: {
    name: 'demo',
    fields: [
      {
        config: {
          type: 'record',
          fields: [
            { n: { type: 'number', default: 3, between: [1, 10] } },
            { flag: { type: 'boolean', default: false } },
            { names: { type: 'array', elements: { type: 'string' } } },
            { headers: { type: 'map', keys: { type: 'string' }, values: { type: 'string' } } },
            {
              inner: {
                type: 'record',
                fields: [{ a: { type: 'integer', default: 1 } }, { b: { type: 'string' } }],
              },
            },
          ],
        },
      },
    ],
  },
};

export interface Answer {
  status: number;
  body: Json;
  headers: Headers;
}

export interface Admin {
  store: MutableEntityStore;
  url: string;
  call: (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;
  close: () => Promise<void>;
}

/** An Admin API on a free port. A body that is text goes out as a form, another one as JSON. */
export async function startAdmin(options: Partial<AdminOptions> = {}): Promise<Admin> {
  const store = options.store ?? createEntityStore([demoPlugin]);
  const { url, close } = await listen(createAdminApi({ store, ...options }));
  return {
    store,
    url,
    close,
    async call(method, path, body, headers = {}) {
      const form = typeof body === 'string';
      const type = form ? 'application/x-www-form-urlencoded' : 'application/json';
      const answer = await fetch(url + path, {
        method,
        ...(body === undefined
          ? { headers }
          : { body: form ? body : JSON.stringify(body), headers: { 'content-type': type, ...headers } }),
      });
      const text = await answer.text();
      return {
        status: answer.status,
        body: (text === '' ? {} : JSON.parse(text)) as Json,
        headers: answer.headers,
      };
    },
  };
}
