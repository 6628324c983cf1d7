/**
 * http-log-enterprise: Kong's http-log with nothing lost and nothing leaked, and an event hook per request.
 * See README.md beside this file.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { InstanceInfo } from 'kong-ts';
import { definePlugin, eventHooks } from 'kong-ts';
import { Arrivals } from './arrivals.ts';
import { configSchema } from './config/schema.ts';
import type { Settings } from './config/settings.ts';
import { compileSettings } from './config/settings.ts';
import type { Destination } from './destination.ts';
import { systemClock } from './queue/clock.ts';
import { Turns } from './queue/turns.ts';
import { compileRecords, refusalLine } from './refusal.ts';
import { Reports } from './reports.ts';

const source = 'http-log-enterprise';

eventHooks.publish(source, 'log', {
  fields: ['consumer', 'ip', 'service', 'route'],
  unique: ['consumer', 'ip', 'service'],
  description: 'Run an event for a request',
});

/** Stable over configuration changes: what the old configuration left behind is sent by the new one. */
function spoolName(instance: InstanceInfo, settings: Settings): string {
  const identity = instance.pluginId ?? JSON.stringify([settings.sender, settings.queue]);
  return createHash('sha256').update(identity).digest('hex').slice(0, 24);
}

/**
 * What sends is read when there is something to send: Kong asks for the schema at each start. A function of its own, since the
 * compiler leaves the ending of an import() within the object below as it is.
 */
async function sender(): Promise<typeof Destination> {
  return (await import('./destination.ts')).Destination;
}

export default definePlugin({
  name: source,
  version: '0.1.0',
  priority: 12,
  phases: ['log'],
  config: configSchema,
  onError: 'continue',
  async setup({ config, instance, log, metrics, dataDir }) {
    const wanted = compileSettings(config);
    for (const warning of wanted.warnings) log.warn(warning);
    const reports = new Reports(log, systemClock, wanted.reportIntervalMs);
    const { settings, pipeline } = await compileRecords(wanted, log, reports);
    const spoolDir =
      dataDir !== null && settings.spool.enabled ? join(dataDir, spoolName(instance, wanted)) : null;
    const destination = await (await sender()).open({ settings, log, metrics, spoolDir });
    const { refusal } = settings;
    const report = (records: number): void => {
      if (refusal !== null)
        reports.write('error', 'refusal', refusalLine(refusal, spoolDir !== null), records);
    };
    report(0);
    const arrivals = new Arrivals({
      pipeline,
      reports,
      recorder: destination.recorder,
      turns: settings.sender.connections === 1 ? new Turns(systemClock) : null,
      isLast: spoolDir === null,
      emit: (event) => {
        if (eventHooks.wants(source, 'log')) eventHooks.emit(source, 'log', event);
      },
      accept: (bytes) => {
        report(1);
        return destination.accept(bytes);
      },
    });
    return {
      log: (kong) => arrivals.take(kong),
      async close() {
        await destination.close();
        await pipeline.close();
      },
    };
  },
});
