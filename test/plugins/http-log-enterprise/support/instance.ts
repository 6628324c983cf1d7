import type { PluginLog, PluginMetrics } from 'kong-ts';
import plugin from '../../../../plugins/http-log-enterprise/index.ts';

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: Record<string, unknown>;
}

export function memoryLog(): { log: PluginLog; lines: LogLine[] } {
  const lines: LogLine[] = [];
  const at =
    (level: string) =>
    (message: string, fields: Record<string, unknown> = {}): void => {
      lines.push({ level, message, fields });
    };
  return {
    lines,
    log: { debug: at('debug'), info: at('info'), notice: at('notice'), warn: at('warn'), error: at('error') },
  };
}

export function memoryMetrics(): { metrics: PluginMetrics; values: Map<string, number> } {
  const values = new Map<string, number>();
  const add = (name: string, value: number) => values.set(name, (values.get(name) ?? 0) + value);
  return {
    values,
    metrics: {
      counter: (name) => ({
        add: (value = 1, labels) =>
          add(labels === undefined ? name : `${name}:${Object.values(labels).join()}`, value),
      }),
      gauge: (name) => ({ set: (value) => values.set(name, value) }),
      histogram: (name) => ({ observe: () => add(name, 1) }),
    },
  };
}

export interface Running {
  readonly lines: LogLine[];
  readonly values: Map<string, number>;
  /** Runs the log phase on a record. */
  record(record: string): Promise<void>;
  close(): Promise<void>;
}

/** The plugin as the server sets it up, with a record in place of Kong. */
export async function startInstance(
  config: Record<string, unknown>,
  options: { dataDir?: string; pluginId?: string } = {},
): Promise<Running> {
  const { log, lines } = memoryLog();
  const { metrics, values } = memoryMetrics();
  const parsed = plugin.parseConfig(config);
  const handlers = await plugin.setup({
    config: parsed,
    instance: {
      pluginId: options.pluginId ?? null,
      workspaceId: null,
      routeId: null,
      serviceId: null,
      consumerId: null,
      seq: null,
      key: null,
    },
    log,
    metrics,
    dataDir: options.dataDir ?? null,
    worker: { index: 0, count: 1 },
  });
  return {
    lines,
    values,
    record: async (record) => {
      await handlers.phases.log?.({ log: { serializeRaw: async () => record } }, parsed);
    },
    close: async () => {
      await handlers.close?.();
    },
  };
}
