/**
 * Soak of http-log-enterprise: the real server over its socket, with the endpoint failing twice on the way (first it
 * answers 503, then it takes requests and never answers). Each record has a number, so that a missing one is seen.
 *
 *   node bench/soak-http-log.ts [records=1000000] [batch=200] [--memory]
 *
 * Prints the resident memory of the whole server (supervisor and worker) on the way, and fails (exit 1) when a record
 * was neither delivered nor counted as dropped. `--memory`: without a data directory, as Kong's own http-log works.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { numberMark } from './driver/replies.ts';
import { Driver } from './lib/driver.ts';
import { RecordSink } from './lib/record-sink.ts';
import { ServerUnderTest } from './lib/servers.ts';

const [records = '1000000', batch = '200'] = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const total = Number(records);
const steps = 20;
const perStep = Math.ceil(total / steps);
/** What the endpoint does in which steps. */
const modeOf = (step: number): 'accept' | 'refuse' | 'silent' =>
  step >= 5 && step < 8 ? 'refuse' : step >= 12 && step < 14 ? 'silent' : 'accept';

const folder = mkdtempSync(join(tmpdir(), 'kong-ts-soak-'));
const sink = await RecordSink.start();
const driver = new Driver();
const metricsPort = await freePort();
const server = await ServerUnderTest.start('kong-ts', join(folder, 'socket'), [
  fileURLToPath(new URL('../bin/kong-ts.js', import.meta.url)),
  ...['serve', 'http-log-enterprise', '--socket', join(folder, 'socket'), '--workers', '1'],
  ...['--metrics', `127.0.0.1:${String(metricsPort)}`],
  ...(process.argv.includes('--memory') ? [] : ['--data-dir', join(folder, 'data')]),
]);

const write = (text: string): boolean => process.stdout.write(`${text}\n`);
const config = {
  http_endpoint: sink.url,
  timeout: 2000,
  queue: { max_batch_size: Number(batch), initial_retry_delay: 0.05, max_retry_delay: 0.5 },
};

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** The sum of a metric over its series. */
async function metric(name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${String(metricsPort)}/metrics`)).text();
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

const megabytes = (): number => Math.round(server.usage().rss / 1e6);

try {
  await sink.order({ marker: numberMark });
  const began = performance.now();
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, megabytes());
  }, 250);
  let issued = 0;
  for (let step = 0; step < steps && issued < total; step += 1) {
    const mode = modeOf(step);
    await sink.order({ mode });
    const events = Math.min(perStep, total - issued);
    const outcome = await driver.run({
      socket: server.socket,
      protocol: 'protobuf',
      plugin: 'http-log-enterprise',
      phase: 'log',
      config,
      events,
      seconds: 600,
      firstNumber: issued,
    });
    issued += outcome.events;
    const { distinct } = await sink.order();
    const queued = await metric('http_log_queue_length');
    write(
      `${String(issued)} records (${mode}): ${String(Math.round(outcome.perSecond))}/s, ${String(distinct)} delivered, ` +
        `${String(queued)} waiting, ${String(megabytes())} MB`,
    );
  }
  const accepted = performance.now();
  const dropped = (): Promise<number> => metric('http_log_dropped_total');
  const lost = await dropped();
  const received = await sink
    .until(({ distinct }) => distinct + lost >= total, 30_000)
    .catch((error: unknown) => {
      write(String(error));
      return sink.order();
    });
  clearInterval(watch);
  const seconds = (performance.now() - began) / 1000;
  write(
    `${String(total)} records in ${seconds.toFixed(0)} s (the last one ${((performance.now() - accepted) / 1000).toFixed(1)} s after its request): ` +
      `${String(received.distinct)} delivered, ${String(received.repeated)} of them more than once, ${String(lost)} counted as dropped, ` +
      `${String(await metric('http_log_retried_total'))} retried; ${String(megabytes())} MB at the end, ${String(peak)} MB at most`,
  );
  if (received.distinct + (await dropped()) < total) {
    write(`${String(total - received.distinct - lost)} records are missing`);
    process.exitCode = 1;
  }
} finally {
  await server.stop();
  driver.close();
  sink.close();
  rmSync(folder, { recursive: true, force: true });
}
