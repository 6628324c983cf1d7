/**
 * http-log-enterprise: Kong's http-log with nothing lost and nothing leaked, and an event hook per request.
 * See README.md beside this file.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { definePlugin, eventHooks, type InstanceInfo } from 'kong-ts';
import { configSchema } from './config/schema.ts';
import { compileSettings, type Settings } from './config/settings.ts';
import { Destination } from './destination.ts';
import { authorizationOf, lastRecord } from './record/last-record.ts';
import { createPipeline } from './record/pipeline.ts';
import { toRaw } from './record/text.ts';
import { Reports } from './reports.ts';
import { systemClock } from './queue/clock.ts';

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

export default definePlugin({
  name: 'http-log-enterprise',
  version: '0.1.0',
  priority: 12,
  phases: ['log'],
  config: configSchema,
  onError: 'continue',
  async setup({ config, instance, log, metrics, dataDir }) {
    const settings = compileSettings(config);
    for (const warning of settings.warnings) log.warn(warning);
    const reports = new Reports(log, systemClock, settings.reportInterval);
    const pipeline = await createPipeline(settings, {
      log,
      wall: () => systemClock.wall(),
      random: Math.random,
      fieldFailed: (field, problem, kind) => {
        const reason = problem instanceof Error ? problem.message : String(problem);
        const effect =
          kind === 'off' ? 'the field is switched off for a minute' : 'the field is left as it was';
        reports.write(
          'error',
          `field ${kind} ${field}`,
          `custom_fields_by_lua.${field}: ${reason}; ${effect}`,
          1,
        );
      },
    });
    const spoolDir =
      dataDir !== null && settings.spool.enabled ? join(dataDir, spoolName(instance, settings)) : null;
    const destination = await Destination.open({ settings, log, metrics, spoolDir });
    return {
      async log(kong) {
        const authorization = pipeline.wantsAuthorization ? await authorizationOf(kong) : null;
        const record = spoolDir === null ? lastRecord(kong) : kong.log.serializeRaw();
        const raw = toRaw(await record);
        destination.recorder.received();
        if (eventHooks.wants(source, 'log')) {
          eventHooks.emit(source, 'log', () => pipeline.event(raw));
        }
        const prepared = pipeline.prepare(raw, authorization);
        const bytes = prepared instanceof Promise ? await prepared : prepared;
        if (bytes === null) destination.recorder.filtered();
        else await destination.accept(bytes);
      },
      async close() {
        await destination.close();
        await pipeline.close();
      },
    };
  },
});
