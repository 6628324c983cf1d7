import { fork } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { EventHooks } from '../../src/event-hooks/client/hub.ts';
import { connectEventHooks } from '../../src/event-hooks/index.ts';
import type { Comparison, Context } from '../lib/context.ts';
import { DispatcherProcess } from '../lib/dispatcher.ts';
import { Sink } from '../lib/sink.ts';
import { ratios, summarize } from '../lib/statistics.ts';

const connections = 32;
/** Requests under way: bare undici has two for each connection. */
const underWay = connections * 2;
/** About 1.2 kB, as in the floors of the targets. */
const data = {
  consumer: { id: 'c', username: 'alice' },
  ip: '127.0.0.1',
  service: { name: 'x'.repeat(1000) },
  route: { id: 'r' },
};

/** Requests per second, and microseconds of CPU for each in the process that sends them. */
interface Sent {
  perSecond: number;
  cpu: number;
}

/** Deliveries per second with the durable store, against bare undici posting the same bytes to the same sink. */
async function deliveries(context: Context, sink: Sink, count: number): Promise<Comparison> {
  const bare = fork(new URL('../driver/undici.ts', import.meta.url));
  const body = JSON.stringify({ ...data, source: 'bench', event: 'log' });
  const undici = (): Promise<Sent> =>
    new Promise((resolve) => {
      bare.once('message', (message: Sent) => resolve(message));
      bare.send({ url: sink.url, body, count, connections });
    });
  const dispatcher = await DispatcherProcess.start(
    context.folder,
    mkdtempSync(join(context.folder, 'store-')),
  );
  await dispatcher.createHook({
    source: 'bench',
    handler: 'webhook',
    concurrency: underWay,
    config: { url: `${sink.url}/hook` },
  });
  const hub = new EventHooks();
  const transport = await connectEventHooks({ address: dispatcher.grpc });
  hub.attachTransport(transport);
  hub.publish('bench', 'log', { fields: ['consumer', 'ip', 'service', 'route'] });
  const durable = async (): Promise<Sent> => {
    const cpu = dispatcher.cpu();
    const before = (await sink.count()).received;
    const began = performance.now();
    for (let n = 0; n < count; n += 1) {
      hub.emit('bench', 'log', data);
      if (n % 200 === 199) await new Promise((resolve) => setImmediate(resolve));
      // More than the transport keeps would be dropped, as for a plugin that emits faster than the node can store.
      while (transport.stats.buffered > 5000) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await sink.until(before + count);
    const perSecond = count / ((performance.now() - began) / 1000);
    return { perSecond, cpu: ((dispatcher.cpu() - cpu) * 1e6) / count };
  };
  await durable();
  await undici();
  const pairs = await context.alternate(durable, undici);
  await transport.close();
  await dispatcher.stop();
  bare.kill();
  const speeds = (all: readonly Sent[]): number[] => all.map(({ perSecond }) => perSecond);
  const cpu = (all: readonly Sent[]): string => summarize(all.map((one) => one.cpu)).median.toFixed(1);
  return {
    name: `webhook deliveries, stored in SQLite first, ${String(underWay)} under way`,
    unit: 'deliveries/s',
    ours: summarize(speeds(pairs.ours)),
    peer: summarize(speeds(pairs.peer)),
    ratio: ratios(speeds(pairs.ours), speeds(pairs.peer)),
    target: '0.75',
    extra: { 'second column': 'bare undici', cpu: `${cpu(pairs.ours)} / ${cpu(pairs.peer)} µs` },
  };
}

/** What one emit costs the caller with 0, 1 and 10 hooks on the event. */
async function emits(context: Context, sink: Sink): Promise<Comparison[]> {
  const rows: Comparison[] = [];
  for (const hooks of [0, 1, 10]) {
    const dispatcher = await DispatcherProcess.start(context.folder, null);
    for (let n = 0; n < hooks; n += 1) {
      await dispatcher.createHook({
        source: 'bench',
        handler: 'webhook',
        config: { url: `${sink.url}/hook` },
      });
    }
    const hub = new EventHooks();
    const transport = await connectEventHooks({ address: dispatcher.grpc });
    hub.attachTransport(transport);
    const handle = hub.publish('bench', 'log', { fields: ['consumer', 'ip', 'service', 'route'] });
    while (transport.interest === null) await new Promise((resolve) => setTimeout(resolve, 5));
    const batch = hooks === 0 ? 200_000 : 1000;
    const costs: number[] = [];
    for (let round = 0; round < context.options.rounds + 1; round += 1) {
      const began = performance.now();
      for (let n = 0; n < batch; n += 1) handle.emit(data);
      costs.push(((performance.now() - began) * 1000) / batch);
      await hub.flush(30_000);
    }
    rows.push({
      name: `one emit, ${String(hooks)} hooks on the event`,
      unit: 'µs',
      ours: summarize(costs.slice(1)),
      peer: null,
      ratio: null,
      target: null,
      extra: {},
    });
    await transport.close();
    await dispatcher.stop();
  }
  return rows;
}

/** The dispatcher's memory while a target takes requests and never answers, and events wait. */
async function backlog(context: Context, sink: Sink, count: number): Promise<Comparison> {
  const dispatcher = await DispatcherProcess.start(
    context.folder,
    mkdtempSync(join(context.folder, 'store-')),
  );
  await dispatcher.createHook({ source: 'bench', handler: 'webhook', config: { url: `${sink.url}/hook` } });
  const hub = new EventHooks();
  const transport = await connectEventHooks({ address: dispatcher.grpc });
  hub.attachTransport(transport);
  await sink.answer(false);
  const emit = async (events: number): Promise<void> => {
    for (let n = 0; n < events; n += 1) {
      hub.emit('bench', 'log', data);
      if (n % 500 === 499) await hub.flush(30_000);
    }
    await hub.flush(30_000);
  };
  await emit(count / 10);
  const early = dispatcher.rss() / 1e6;
  await emit((count * 9) / 10);
  const late = dispatcher.rss() / 1e6;
  await sink.answer(true);
  await transport.close();
  await dispatcher.stop();
  return {
    name: `dispatcher memory, a target that does not answer, ${String(count)} events waiting`,
    unit: 'MB',
    ours: summarize([late]),
    peer: summarize([early]),
    ratio: ratios([late], [early]),
    target: null,
    extra: { 'second column': `${String(count / 10)} events waiting` },
  };
}

/** Event hooks: deliveries per second, the cost of an emit, memory while events wait. */
export async function hooks(context: Context): Promise<Comparison[]> {
  const sink = await Sink.start();
  try {
    const rows = [
      await deliveries(context, sink, 20_000),
      ...(await emits(context, sink)),
      await backlog(context, sink, 100_000),
    ];
    for (const row of rows) context.say(row.name);
    return rows;
  } finally {
    sink.close();
  }
}
