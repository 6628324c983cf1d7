/**
 * What http-log-enterprise does to one record, by configuration: `node bench/record-paths.ts [records]`. With http-log's
 * configuration alone nothing is parsed.
 */
import { performance } from 'node:perf_hooks';
import { configSchema } from '../plugins/http-log-enterprise/config/schema.ts';
import { compileSettings } from '../plugins/http-log-enterprise/config/settings.ts';
import { createPipeline } from '../plugins/http-log-enterprise/record/pipeline.ts';
import { toRaw } from '../plugins/http-log-enterprise/record/text.ts';
import { record } from './driver/replies.ts';

const count = Number(process.argv[2] ?? 200_000);
const rounds = 5;

const configurations: readonly [name: string, config: object][] = [
  ["http-log's configuration alone", {}],
  ['filter: { statuses: [5xx] }, which leaves the record out', { filter: { statuses: ['5xx'] } }],
  ['filter: { statuses: [2xx] }, which lets it pass', { filter: { statuses: ['2xx'] } }],
  ['redaction: {}', { redaction: {} }],
];

const log = { debug: noLine, info: noLine, notice: noLine, warn: noLine, error: noLine };
function noLine(): void {
  // Nothing fails here.
}

const raw = toRaw(record);
process.stdout.write(`records of ${raw.length} bytes, ${count} a round, median of ${rounds} rounds\n`);
for (const [name, config] of configurations) {
  const settings = compileSettings(configSchema.parse({ http_endpoint: 'http://127.0.0.1/', ...config }));
  const pipeline = await createPipeline(settings, {
    log,
    wall: () => Date.now(),
    random: Math.random,
    fieldFailed: noLine,
  });
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const began = performance.now();
    for (let i = 0; i < count; i++) void pipeline.prepare(raw);
    times.push(((performance.now() - began) / count) * 1000);
  }
  times.sort((a, b) => a - b);
  process.stdout.write(
    `${name}: ${(times[rounds >> 1] ?? 0).toFixed(2)} µs (${times[0]?.toFixed(2)} to ${times.at(-1)?.toFixed(2)})\n`,
  );
}
