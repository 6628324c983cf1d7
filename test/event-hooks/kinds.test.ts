import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { eventFields, readFields } from '../../src/cli/hooks/fields.ts';
import { defineKind } from '../../src/event-hooks/handlers/kind.ts';
import type { HandlerKind } from '../../src/event-hooks/handlers/kind.ts';
import { allKinds } from '../../src/event-hooks/handlers/kinds.ts';
import type { Outcome } from '../../src/event-hooks/handlers/types.ts';
import { KindSet } from '../../src/event-hooks/model/kind-set.ts';
import { shown } from '../../src/event-hooks/model/secrecy.ts';
import { bench } from './support/setup.ts';
import type { Bench } from './support/setup.ts';

/** A kind that nothing in the project knows: it writes a line to the first broker and takes one for an answer. */
const kafka = defineKind({
  name: 'kafka',
  config: z.strictObject({
    brokers: z.array(z.string()).min(1, 'length must be at least 1'),
    topic: z.string(),
    partitions: z.int().default(1),
    compress: z.boolean().default(false),
    tags: z.record(z.string(), z.string()).default({}),
    password: z.string().nullable().default(null),
    sasl: z.strictObject({ mechanism: z.string(), pins: z.array(z.number()) }).optional(),
  }),
  // Nothing is said of password and sasl.
  secrets: { brokers: shown, topic: shown, partitions: shown, compress: shown, tags: shown },
  addresses: ({ brokers }) =>
    brokers.map((broker, index) => ({
      path: `config.brokers.${String(index + 1)}`,
      host: new URL(`kafka://${broker}`).hostname,
    })),
  check: ({ topic }) => (topic === '__internal' ? [{ path: 'config.topic', text: 'is reserved' }] : []),
  pings: true,
  create: ({ config }, { connect }) => {
    const say = async (payload: string): Promise<Outcome> => {
      try {
        const { hostname, port } = new URL(`kafka://${config.brokers[0] ?? ''}`);
        const socket = await connect({ host: hostname, port: Number(port) });
        const password = String(config.password);
        socket.write(
          `${JSON.stringify({ topic: config.topic, password, pins: config.sasl?.pins, payload })}\n`,
        );
        const [answer] = (await once(socket, 'data')) as [Buffer];
        socket.destroy();
        return { ok: true, status: null, error: null, response: answer.toString() };
      } catch (error) {
        return { ok: false, status: null, error: `${(error as Error).message}`, response: null };
      }
    };
    return {
      target: config.brokers[0] ?? null,
      attempt: ({ payload }) => say(payload),
      test: async (payload) => {
        const { error, response } = await say(JSON.stringify(payload));
        return error === null
          ? { body: response ?? '', headers: { echo: response ?? '' }, status: 200 }
          : { error };
      },
      close: async () => {},
    };
  },
});

const kinds = new KindSet<HandlerKind>([...allKinds, kafka]);
const names: Record<string, string[]> = { 'meta.example': ['169.254.169.254'], 'lo.example': ['127.0.0.1'] };

const start = (allowLoopback = true): Promise<Bench> =>
  bench({ allowLoopback, resolve: async (name) => names[name] ?? [] }, null, kinds);

/** A broker that repeats what it is told. */
async function broker(): Promise<{ port: number; lines: Record<string, unknown>[] }> {
  const lines: Record<string, unknown>[] = [];
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket
      .on('error', () => undefined)
      .on('data', (line: Buffer) => {
        lines.push(JSON.parse(line.toString()) as Record<string, unknown>);
        socket.write(line);
      });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, lines };
}

const hook = (config: object) => ({ source: 's', handler: 'kafka', config: { topic: 't', ...config } });

describe('a kind of handler that only its record knows', () => {
  it('can be named by hooks, and errors list it', async () => {
    const b = await start();
    expect((await b.api('POST', '/event-hooks', { source: 's', handler: 'nope' })).body).toMatchObject({
      fields: { handler: 'expected one of: webhook, webhook-custom, log, lambda, kafka' },
    });
    expect(await b.hook(hook({ brokers: ['lo.example:1'] }))).toMatchObject({
      handler: 'kafka',
      config: {
        brokers: ['lo.example:1'],
        topic: 't',
        partitions: 1,
        compress: false,
        tags: {},
        password: null,
      },
    });
  });

  it.each([
    [{}, { brokers: 'required field missing' }],
    [{ brokers: [] }, { brokers: 'length must be at least 1' }],
    [{ brokers: ['h:1'], partitions: 'x' }, { partitions: 'expected an integer' }],
    [{ brokers: ['h:1'], nope: 1 }, { nope: 'unknown field' }],
    [{ brokers: ['h:1'], topic: '__internal' }, { topic: 'is reserved' }],
  ])('%j is refused by its schema and its checks', async (config, fields) => {
    const b = await start();
    const answer = await b.api('POST', '/event-hooks', hook(config));
    expect(answer).toMatchObject({ status: 400, body: { fields: { config: fields } } });
  });

  it('takes null for a default, and keeps it where null is a value', async () => {
    const b = await start();
    const { config } = await b.hook(hook({ brokers: ['h:1'], partitions: null, sasl: null, password: null }));
    expect(config).toMatchObject({ partitions: 1, password: null });
    expect(config).not.toHaveProperty('sasl');
  });

  it('delivers, and the fields of which its record says nothing are masked in pings and answers', async () => {
    const [b, { port, lines }] = [await start(), await broker()];
    const made = await b.hook(
      hook({
        brokers: [`lo.example:${String(port)}`],
        password: 'correct horse',
        sasl: { mechanism: 'SCRAM-SHA-512', pins: [493_817] },
      }),
    );
    await b.settled();
    const ping = JSON.parse(String(lines[0]?.payload)) as Record<string, unknown>;
    expect(ping).toMatchObject({
      event: 'ping',
      operation: 'create',
      event_hooks: { config: { topic: 't', password: '***', sasl: '***' } },
    });
    const { body } = await b.api('POST', `/event-hooks/${made.id}/test`, { a: 1 });
    const result = body.result as { body: string; headers: { echo: string } };
    for (const text of [result.body, result.headers.echo]) {
      expect(text).toContain('"topic":"t"');
      expect(text).not.toMatch(/correct horse|493817/);
    }
    const { body: list } = await b.api<{ data: unknown[] }>('GET', `/event-hooks/${made.id}/deliveries`);
    expect(JSON.stringify(list)).toContain('***');
    expect(JSON.stringify(list)).not.toMatch(/correct horse|493817/);
    // What is sent is whole.
    expect(lines.at(-1)).toMatchObject({ password: 'correct horse', pins: [493_817] });
  });

  it('has its addresses judged when it is saved, and its names with every connection', async () => {
    const [b, { port, lines }] = [await start(false), await broker()];
    const answer = await b.api('POST', '/event-hooks', hook({ brokers: ['lo.example:1', '127.0.0.1:9092'] }));
    expect(answer).toMatchObject({ status: 400 });
    expect(answer.body.message).toMatch(
      /config\.brokers\.2: this dispatcher refuses 127\.0\.0\.1, because it is a loopback address/,
    );
    for (const [name, why] of [
      ['lo.example', /loopback/],
      ['meta.example', /link-local/],
      ['gone.example', /no address/],
    ] as const) {
      const { id } = await b.hook(hook({ brokers: [`${name}:${String(port)}`] }));
      const { body } = await b.api('POST', `/event-hooks/${id}/test`, {});
      expect((body.result as { error: string }).error).toMatch(why);
    }
    expect(lines).toEqual([]);
  });

  it('that was saved when its address was allowed can still be changed elsewhere', async () => {
    const b = await start(false);
    const stored = { ...hook({ brokers: ['127.0.0.1:1'] }), id: '5b0a1c66-3c9b-4a5e-9e6b-0e7a86d4b001' };
    await b.dispatcher.store.saveHook({
      ...stored,
      event: null,
      on_change: null,
      snooze: null,
      created_at: 1,
      updated_at: 1,
    });
    await b.dispatcher.hooks.reload();
    const path = `/event-hooks/${stored.id}`;
    expect((await b.api('PATCH', path, { snooze: 5 })).status).toBe(200);
    expect((await b.api('PATCH', path, { config: { brokers: ['10.0.0.1:1'] } })).status).toBe(400);
  });

  it('has its fields read from forms and from the command line by their types', async () => {
    const b = await start();
    const text =
      'source=s&handler=kafka&config.brokers=h:1&config.topic=7&config.partitions=3&config.compress=true&config.tags.a.b=1';
    const expected = { brokers: ['h:1'], topic: '7', partitions: 3, compress: true, tags: { 'a.b': '1' } };
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await b.api('POST', '/event-hooks', text, form)).body.config).toMatchObject(expected);
    expect(readFields(text.split('&'), undefined, kinds.form)).toMatchObject({ config: expected });
    expect(readFields(['source=1', 'n=1', 'config.topic=7'], undefined, eventFields)).toEqual({
      source: '1',
      n: 1,
      config: { topic: 7 },
    });
  });

  it('stands in the OpenAPI document', async () => {
    const b = await start();
    const { body } = await b.api('GET', '/event-hooks/openapi.json');
    const { Hook, HookInput } = (body as { components: { schemas: Record<string, never> } }).components
      .schemas;
    expect(Hook).toMatchObject({ properties: { handler: { enum: kinds.names } } });
    const { oneOf } = HookInput as unknown as { oneOf: { properties: Record<string, unknown> }[] };
    expect(oneOf.at(-1)?.properties).toMatchObject({
      handler: { const: 'kafka' },
      config: { required: ['brokers', 'topic'], properties: { partitions: { type: 'integer' } } },
    });
  });
});
