import { createHistogram } from 'node:perf_hooks';
import type { Client, Job, Outcome } from './job.ts';
import { MixedClient } from './mixed.ts';
import { MsgpackClient } from './msgpack.ts';
import { Pool } from './pool.ts';
import { free, Meter } from './prices.ts';
import { ProtobufClient } from './protobuf.ts';

/** Runs events until `events` have ended or `seconds` are over, on every connection at once or on a schedule. */
async function load(client: Client, job: Job, limit: { events: number; seconds: number; rate: number }) {
  const histogram = createHistogram();
  const began = process.hrtime.bigint();
  const deadline = began + BigInt(Math.round(limit.seconds * 1e9));
  let issued = 0;
  let ended = 0;
  await new Promise<void>((resolve, reject) => {
    let timer: NodeJS.Timeout | null = null;
    const stop = (error: Error | null): void => {
      if (timer !== null) clearInterval(timer);
      if (error === null) resolve();
      else reject(error);
    };
    const over = (): boolean => issued >= limit.events || process.hrtime.bigint() >= deadline;
    const issue = (since: bigint): void => {
      issued += 1;
      client.run(job.phase, (error) => {
        if (error !== null) return stop(error);
        ended += 1;
        const nanoseconds = process.hrtime.bigint() - since;
        histogram.record(nanoseconds > 0n ? nanoseconds : 1n);
        if (over()) {
          if (ended === issued) stop(null);
        } else if (limit.rate === 0) issue(process.hrtime.bigint());
      });
    };
    if (limit.rate === 0) {
      while (client.running < job.connections && issued < limit.events) issue(process.hrtime.bigint());
      return;
    }
    const gap = 1e9 / limit.rate;
    timer = setInterval(() => {
      const now = Number(process.hrtime.bigint() - began);
      while (client.running < job.connections && !over() && issued * gap <= now) {
        issue(began + BigInt(Math.round(issued * gap)));
      }
      if (over() && ended === issued) stop(null);
    }, 1);
  });
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  return { events: ended, seconds, histogram };
}

async function clientOf(job: Job, pool: Pool, meter: Meter | null): Promise<Client> {
  const { protocol, plugin, config, firstNumber = null } = job;
  const protobuf = new ProtobufClient(pool, firstNumber, meter?.till('protobuf') ?? free);
  const msgpack = new MsgpackClient(pool, meter?.till('msgpack') ?? free);
  if (typeof plugin !== 'string') {
    await msgpack.start(plugin[0], config);
    await protobuf.start(plugin[1], config);
    return new MixedClient(msgpack, protobuf);
  }
  const client = protocol === 'protobuf' ? protobuf : msgpack;
  await client.start(plugin, config);
  return client;
}

async function run(job: Job): Promise<Outcome> {
  const pool = new Pool(job.socket);
  const meter = job.prices === undefined ? null : new Meter();
  try {
    await pool.open(job.connections);
    const client = await clientOf(job, pool, meter);
    meter?.restart();
    if (job.warmup > 0) await load(client, job, { events: job.warmup, seconds: 60, rate: 0 });
    const callsBefore = client.calls;
    const cpuBefore = process.cpuUsage();
    const owedBefore = meter?.owed ?? 0;
    const { events, seconds, histogram } = await load(client, job, job);
    const cpu = process.cpuUsage(cpuBefore);
    const micros = (nanoseconds: number): number => Math.round(nanoseconds / 100) / 10;
    return {
      events,
      seconds,
      perSecond: events / seconds,
      calls: client.calls - callsBefore,
      nginx: ((meter?.owed ?? 0) - owedBefore) / events,
      latency: {
        p50: micros(histogram.percentile(50)),
        p95: micros(histogram.percentile(95)),
        p99: micros(histogram.percentile(99)),
        max: micros(histogram.max),
      },
      driverCpu: (cpu.user + cpu.system) / 1e6,
    };
  } finally {
    pool.close();
  }
}

process.on('message', (job: Job) => {
  run(job).then(
    (outcome) => process.send?.({ outcome }),
    (error: unknown) => process.send?.({ error: error instanceof Error ? error.message : String(error) }),
  );
});
