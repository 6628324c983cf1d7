import { afterEach, beforeEach, expect, it } from 'vitest';
import type { BoundPlugin } from '../../src/kong-end/request/exchange.ts';
import { handleEvent } from '../../src/kong-end/plugin-server/handle-event.ts';
import type { PluginClient } from '../../src/kong-end/plugin-server/client.ts';
import { clientFor } from '../../src/kong-end/plugin-server/remote-plugin.ts';
import { NginxWorker } from '../../src/kong-end/plugin-server/worker.ts';
import { Load } from './support/kong-client.ts';
import { Workbench } from './support/server-process.ts';

let bench: Workbench;

beforeEach(async () => {
  bench = await Workbench.create();
});
afterEach(() => bench.clean());

type Name = 'steady' | 'packed';
const protocols = { steady: 'protobuf', packed: 'msgpack' } as const;

/** One plugin entity of Kong at one moment; `seq` rises with its configuration. */
function configured(name: Name, seq: number): BoundPlugin {
  const protocol = protocols[name];
  return {
    entity: {
      id: name,
      name,
      instance_name: null,
      enabled: true,
      protocols: ['http'],
      config: name === 'steady' ? { wait: seq % 3 } : {},
      route: null,
      service: null,
      consumer: null,
      ws_id: 'default',
      created_at: 0,
      tags: null,
    },
    handler: {
      name,
      version: '1',
      priority: 1,
      protocol,
      phases: new Set(),
      run: () => Promise.reject(new Error()),
    },
    seq,
    key: `plugins:${name}`,
  };
}

/** Nginx workers of a Kong whose plugins all have the same socket. */
class StrictKong {
  /** Events that were sent without the id of an instance. */
  withoutId = 0;
  retries = 0;
  readonly skipped: string[] = [];
  seq = 1;
  readonly #workers: { nginx: NginxWorker; clients: Record<Name, PluginClient> }[];

  constructor(socket: string, count: number) {
    const options = { path: socket, timeoutMs: 20_000, maxMessageBytes: 1 << 20 };
    this.#workers = Array.from({ length: count }, () => {
      const nginx = new NginxWorker(() => undefined, 20_000);
      const client = (name: Name) => this.#counted(clientFor(protocols[name], nginx, options));
      return { nginx, clients: { steady: client('steady'), packed: client('packed') } };
    });
  }

  /** Runs the access phase of both plugins, as one request does. @throws KongRaised where its client gets a 500 */
  async request(at: number): Promise<void> {
    const worker = this.#workers[at % this.#workers.length];
    if (worker === undefined) return;
    // A request keeps the configuration that it has begun with.
    const { seq } = this;
    for (const name of ['steady', 'packed'] as const) {
      let calls = 0;
      const kong = {
        protocol: protocols[name],
        client: worker.clients[name],
        instances: worker.nginx.instances,
        reset: (plugin: string) => {
          for (const { nginx } of this.#workers) nginx.instances.reset(plugin);
        },
        mayRetry: (retries: number) => retries < 20,
        warn: () => void this.retries++,
      };
      const failure = await handleEvent(kong, configured(name, seq), 'access', (method) => {
        calls++;
        return method === 'kong.request.get_method' ? 'GET' : null;
      });
      if (failure !== null || calls < 2) this.skipped.push(`${name}: ${failure ?? 'no calls'}`);
    }
  }

  close(): void {
    for (const { nginx } of this.#workers) nginx.close();
  }

  #counted(client: PluginClient): PluginClient {
    const run = client.handleEvent.bind(client);
    client.handleEvent = (id, phase, answer) => {
      if (id === null) this.withoutId++;
      return run(id, phase, answer);
    };
    return client;
  }
}

it(
  'both protocols on one socket: 100 changes of the configuration under load skip nobody and fail nothing',
  {
    timeout: 120_000,
  },
  async () => {
    const server = await bench.serve(['steady', 'packed'], '--workers', '2').ready();
    const kong = new StrictKong(server.socket, 2);
    let next = 0;
    const load = new Load(12, () => kong.request(next++));
    // More changes where the machine lets few requests through between them.
    const enough = () => load.done > 100 && kong.withoutId > 0 && kong.retries > 0;
    for (let change = 0; change < 100 || !enough(); change++) {
      kong.seq++;
      await new Promise((resolve) => setTimeout(resolve, change % 4 === 0 ? 40 : 5));
    }
    await load.stop();
    kong.close();
    expect({ failed: load.failures, skipped: kong.skipped }).toEqual({ failed: [], skipped: [] });
    expect(load.done).toBeGreaterThan(100);
    // Overlapping changes lose the id in Kong, and the answer to that makes it start an instance and try again.
    expect(kong.withoutId).toBeGreaterThan(0);
    expect(kong.retries).toBeGreaterThan(0);
  },
);
