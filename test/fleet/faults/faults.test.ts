import pg from 'pg';
import { expect, it, onTestFinished } from 'vitest';
import { silentLog } from '../../../src/event-hooks/log.ts';
import { openStore } from '../../../src/event-hooks/store/open.ts';
import type { HookStore } from '../../../src/event-hooks/store/types.ts';
import { PostgresServer } from '../../support/postgres/server.ts';
import { chance, startNode, startProcess, startTarget } from './fleet.ts';
import type { Node } from './fleet.ts';
import { violations } from './history.ts';
import type { Entry } from './history.ts';

const seconds = Number(process.env.KONG_TS_FLEET_SECONDS ?? '120');
const seed = Number(process.env.KONG_TS_FLEET_SEED ?? '20261128');
const leaseMs = 5000;
/** So far the emitter may be ahead of the hook that makes one delivery at a time. */
const mostAhead = 500;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function sql(server: PostgresServer, text: string, holdMs = 0): Promise<void> {
  const client = new pg.Client({ connectionString: server.url() });
  client.on('error', () => undefined);
  await client.connect();
  await client.query(text).catch(() => undefined);
  await sleep(holdMs);
  await client.end().catch(() => undefined);
}

/** Waits until nothing is unfinished. @throws where a hook has ended none of its deliveries for so long */
async function drained(store: HookStore, patienceMs: number): Promise<void> {
  const last = new Map<string, { n: number; at: number }>();
  for (;;) {
    const at = performance.now();
    const left = [...(await store.unfinished())].filter(([, n]) => n !== 0);
    if (left.length === 0) return;
    for (const [hook, n] of left) {
      const before = last.get(hook);
      if (before === undefined || n < before.n) last.set(hook, { n, at });
      else if (at - before.at > patienceMs)
        throw new Error(`${hook} stands still: ${JSON.stringify(await store.counts(hook))}`);
    }
    await sleep(250);
  }
}

/** What can go wrong with a node or the database. Each puts right what it has broken. */
const faults: Readonly<Record<string, (node: Node, server: PostgresServer) => Promise<void>>> = {
  kill: async (node) => {
    const before = node.process;
    node.process = null;
    await before?.end('SIGKILL');
    await sleep(2000);
    await startProcess(node);
  },
  'stand still for longer than a lease': async (node) => {
    node.process?.child.kill('SIGSTOP');
    await sleep(leaseMs + 2000);
    node.process?.child.kill('SIGCONT');
  },
  'cut from the database': async (node) => {
    node.proxy.mode = 'cut';
    await sleep(leaseMs + 1500);
    node.proxy.mode = 'pass';
  },
  'half open to the database': async (node) => {
    node.proxy.mode = 'hold';
    await sleep(leaseMs + 1500);
    node.proxy.mode = 'pass';
  },
  'database restarts': async (_, server) => {
    await server.end('SIGQUIT');
    await sleep(500);
    await server.begin();
  },
  'connections are terminated': async (_, server) => {
    await sql(
      server,
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'kong-ts'",
    );
  },
  'a transaction is held open': async (_, server) => {
    await sql(
      server,
      'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM kong_ts_hooks.open',
      leaseMs,
    );
  },
};

it(
  `keeps its promises whatever breaks (seed ${String(seed)}, ${String(seconds)} s)`,
  { timeout: (seconds + 240) * 1000 },
  async () => {
    const server = await PostgresServer.start();
    onTestFinished(() => server.remove());
    const random = chance(seed);
    const history: Entry[] = [];
    // More events than the line can take would only measure how fast it is.
    const line = { sent: 0, arrived: new Set<string>() };
    const record = (entry: Entry): void => {
      history.push(entry);
      if (entry.what === 'acknowledged') line.sent += 1;
      if (entry.what === 'arrived' && entry.target === 'line') line.arrived.add(entry.event);
    };
    const nodes: Node[] = [];
    onTestFinished(async () => {
      await Promise.all(
        nodes.map(async (node) => {
          node.process?.child.kill('SIGCONT');
          await node.process?.end('SIGKILL');
          await node.proxy.close();
        }),
      );
    });
    for (const name of ['a', 'b', 'c']) nodes.push(await startNode(name, server.port));
    const hooks: Record<string, string> = {};
    for (const [name, fields] of Object.entries({
      wide: {},
      other: {},
      line: { concurrency: 1 },
      nap: { snooze: 3600 },
    })) {
      const target = await startTarget(name, record, name === 'line' ? 5 : 25);
      onTestFinished(target.end);
      const made = await nodes[0]?.process?.api<{ id: string }>('POST', '/event-hooks', {
        source: 's',
        handler: 'webhook',
        config: { url: target.url },
        ...fields,
      });
      hooks[name] = made?.body.id ?? '';
    }
    await sleep(1500);

    let isOver = false;
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
    const emit = async (): Promise<void> => {
      for (let n = 0; !isOver; n += 1) {
        const id = `e-${String(n)}`;
        for (let isStored = false; !isStored;) {
          const { process } = nodes[Math.floor(Math.random() * nodes.length)] as Node;
          const body = { id, source: 's', event: 'e', data: { n } };
          const answer = process?.api('POST', '/event-hooks/events', body).catch(() => null);
          isStored = (await Promise.race([answer, sleep(3000)]))?.status === 202;
          if (!isStored) await sleep(20);
        }
        record({ what: 'acknowledged', at: performance.now(), event: id, hooks: Object.values(hooks) });
        do await sleep(5);
        while (line.sent - line.arrived.size > mostAhead && !isOver);
      }
    };
    const watch = async (): Promise<void> => {
      while (!isOver) {
        for (const { name, process } of nodes) {
          const asked = process?.api<{ rights: { name: string; epoch: number }[] }>(
            'GET',
            '/event-hooks/status',
          );
          const answer = await Promise.race([asked?.catch(() => null), sleep(300)]);
          const at = performance.now();
          // A node that is started anew is another one.
          const node = `${name} ${String(process?.child.pid)}`;
          for (const right of answer?.body.rights ?? []) record({ what: 'held', at, node, ...right });
        }
        await sleep(250);
      }
    };
    const emitting = [emit(), watch()];
    const begun = performance.now();
    let kinds: string[] = [];
    while (performance.now() - begun < seconds * 1000) {
      await sleep(12_000);
      // Each kind once, in an order of the seed, and then all again.
      if (kinds.length === 0) kinds = Object.keys(faults);
      const kind = pick(kinds);
      kinds = kinds.filter((one) => one !== kind);
      const at = performance.now();
      await faults[kind]?.(pick(nodes), server);
      const until = performance.now();
      record({ what: 'fault', at, until, kind });
      // Within two lease times every right is somebody's again.
      await expect
        .poll(
          () => {
            const now = performance.now();
            const held = history.filter((one) => one.what === 'held' && one.at > now - 2000 && one.at > at);
            return new Set(held.map((one) => (one.what === 'held' ? one.name : ''))).size;
          },
          { timeout: 2 * leaseMs + 5000, interval: 100, message: `after: ${kind}` },
        )
        .toBe(5);
    }
    isOver = true;
    await Promise.all(emitting);

    const store = await openStore(server.url(), { synchronous: 'normal', log: silentLog });
    onTestFinished(() => store.close());
    await store.hooks();
    await drained(store, 2 * leaseMs + 5000);
    for (const hook of Object.values(hooks))
      for (const { eventId, seq, state } of await store.deliveries({ hookId: hook, size: 1_000_000 }))
        if (eventId.startsWith('e-')) record({ what: 'recorded', event: eventId, hook, seq, state });
    const broken = history.flatMap((one) => (one.what === 'fault' ? [one.kind] : []));
    process.stdout.write(`${JSON.stringify({ seed, faults: broken, entries: history.length })}\n`);
    expect(
      violations(history, {
        afterMs: leaseMs + 1500,
        inFlight: 4,
        snoozed: [hooks.nap ?? ''],
        ordered: [hooks.line ?? ''],
      }),
    ).toEqual([]);
  },
);
