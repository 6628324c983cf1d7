import type { PluginLog } from 'kong-ts';
import { KongTsError } from 'kong-ts';
import type { Settings } from './config/settings.ts';
import { withholding } from './config/settings.ts';
import { systemClock } from './queue/clock.ts';
import type { RecordPipeline } from './record/pipeline.ts';
import { createPipeline } from './record/pipeline.ts';
import type { Reports } from './reports.ts';

/** The work on records, and the settings in force. If a configuration cannot work, its settings keep the records. */
export interface CompiledRecords {
  readonly settings: Settings;
  readonly pipeline: RecordPipeline;
}

/** Compiles the work on records. If its Lua does not compile, a configuration cannot work. */
export async function compileRecords(
  wanted: Settings,
  log: PluginLog,
  reports: Reports,
): Promise<CompiledRecords> {
  const compile = async (settings: Settings): Promise<CompiledRecords> => ({
    settings,
    pipeline: await createPipeline(settings, {
      log,
      wall: () => systemClock.wall(),
      random: Math.random,
      fieldFailed: (field, problem, kind) => {
        const reason = problem instanceof Error ? problem.message : String(problem);
        const effect =
          kind === 'off' ? 'the field is switched off for a minute' : 'the field is left as it was';
        const line = `custom_fields_by_lua.${field}: ${reason}; ${effect}`;
        reports.write('error', `field ${kind} ${field}`, line, 1);
      },
    }),
  });
  if (wanted.refusal !== null) return compile(withholding(wanted, wanted.refusal));
  try {
    return await compile(wanted);
  } catch (error) {
    if (!(error instanceof KongTsError) || error.code !== 'CONFIG_INVALID') throw error;
    return compile(withholding(wanted, error));
  }
}

/** The line in the log about a configuration that cannot work. */
export function refusalLine(problem: KongTsError, onDisk: boolean): string {
  const where = onDisk
    ? 'on disk, and sent once the configuration is mended'
    : 'in memory, and lost when the server stops: serve it with --data-dir';
  return `${problem.message} Nothing is sent with this configuration; its records are kept ${where}.`;
}
