import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Gateway, Provenance } from '../gateways/gateway.ts';
import { provenanceOf } from '../gateways/gateway.ts';
import { within } from '../gateways/quiet.ts';
import { exchange } from '../gateways/raw-exchange.ts';
import { Upstream } from '../gateways/upstream.ts';

export interface Delivery {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
}

export interface Deliveries extends Partial<Provenance> {
  readonly kong: string;
  readonly note: string;
  readonly deliveries: readonly Delivery[];
}

/** Two of the records go in one batch. */
const expected = 4;

/**
 * What a logging plugin sends of four requests: with headers and fields by Lua, in a batch of two, of an upstream that
 * refuses.
 * @param plugin Kong's `http-log`, or one that takes its configuration
 */
export async function recordDeliveries(gateway: Gateway, plugin = 'http-log'): Promise<Deliveries> {
  const upstream = await new Upstream().listen(gateway.here.listen);
  const sink = await openSink(gateway.here.listen);
  try {
    const provenance = await provenanceOf(gateway);
    const { name } = gateway.here;
    await gateway.configure(logConfig(plugin, name, upstream.port, sink.port));
    const head = 'Host: 127.0.0.1:8000\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\nConnection: close\r\n';
    const form =
      'Content-Type: application/x-www-form-urlencoded\r\nAuthorization: Basic x\r\nContent-Length: 5\r\n';
    const requests = [
      `POST /l1/a?x=1&apikey=secret HTTP/1.1\r\n${head}${form}\r\na=1&b`,
      `GET /l3/c HTTP/1.1\r\n${head}\r\n`,
      `GET /l3/c HTTP/1.1\r\n${head}\r\n`,
      `GET /ld HTTP/1.1\r\n${head}\r\n`,
    ];
    // Those of the batch come side by side, so that they do not miss each other.
    await Promise.all(requests.map((request) => exchange(gateway.proxy, request)));
    if (!(await within(15_000, () => recordsIn(sink.deliveries) >= expected)))
      throw new Error(
        `${plugin} delivered ${String(recordsIn(sink.deliveries))} of ${String(expected)} records.`,
      );
    const order = ['/log', '/solo', '/dead'];
    const deliveries = [...sink.deliveries].sort((a, b) => order.indexOf(a.path) - order.indexOf(b.path));
    return {
      ...provenance,
      note:
        `What ${plugin} sent to a sink. /log: max_batch_size 1, config.headers {x-a: b, content-length2: z}, custom_fields_by_lua ` +
        "{route.extra: return 'x', service: return nil, n: return 42}, http_endpoint .../log?q=1. /solo: legacy " +
        'queue_size 2, flush_timeout 1. /dead: the upstream refuses.',
      deliveries,
    };
  } finally {
    await sink.close();
    await upstream.close();
  }
}

const recordsIn = (deliveries: readonly Delivery[]): number =>
  deliveries.reduce((sum, { body }) => sum + (Array.isArray(body) ? body.length : 1), 0);

function logConfig(plugin: string, here: string, upstream: number, sink: number): object {
  const endpoint = (path: string): string => `http://${here}:${String(sink)}${path}`;
  const lua = { 'route.extra': "return 'x'", service: 'return nil', n: 'return 42' };
  const route = (name: string, config: object): object => ({
    name,
    paths: [`/${name}`],
    plugins: [{ name: plugin, config }],
  });
  const log = route('l1', {
    http_endpoint: endpoint('/log?q=1'),
    headers: { 'x-a': 'b', 'content-length2': 'z' },
    custom_fields_by_lua: lua,
    queue: { max_batch_size: 1 },
  });
  const solo = route('l3', { http_endpoint: endpoint('/solo'), queue_size: 2, flush_timeout: 1 });
  const dead = route('ld', { http_endpoint: endpoint('/dead') });
  return {
    services: [
      { name: 'up', url: `http://${here}:${String(upstream)}/`, routes: [log, solo] },
      { name: 'dead', url: `http://${here}:1/`, routes: [dead] },
    ],
  };
}

/** What is no JSON is recorded as it is. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

interface Sink {
  readonly port: number;
  readonly deliveries: Delivery[];
  close(): Promise<void>;
}

async function openSink(listen: string): Promise<Sink> {
  const deliveries: Delivery[] = [];
  const server = http.createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      deliveries.push({ method, path: url, headers, body: jsonOf(text) });
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, listen, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    deliveries,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}
