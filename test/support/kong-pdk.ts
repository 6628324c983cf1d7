import { ExitSignal } from '../../src/pdk/channel.ts';
import type { PhaseChannel } from '../../src/pdk/channel.ts';
import type { Phase } from '../../src/pdk/names/phases.ts';
import type { CompiledPlugin, InstanceInfo, SetupContext } from '../../src/plugin/types.ts';

const instance: InstanceInfo = {
  pluginId: 'plugin-1',
  workspaceId: 'ws-1',
  routeId: null,
  serviceId: 'service-1',
  consumerId: null,
  seq: 3,
  key: null,
};

/** Runs one phase with Kong's answers given by function name; gives the calls that reached Kong. */
export async function runPhase(
  plugin: CompiledPlugin,
  phase: Phase,
  answers: Record<string, unknown> = {},
  config: unknown = {},
): Promise<{ calls: unknown[][]; result: unknown }> {
  const calls: unknown[][] = [];
  const channel = {
    protocol: 'msgpack',
    phase,
    ended: false,
    async call(row, args) {
      if (this.ended) throw new Error('the event is over');
      calls.push([row.name, ...args]);
      const answer = answers[row.name];
      if (answer instanceof Error) throw answer;
      return answer;
    },
    send() {},
    async exit(row, args) {
      calls.push([row.name, ...args]);
      this.ended = true;
      throw new ExitSignal();
    },
  } as { ended: boolean } & PhaseChannel;
  const context = { config: plugin.parseConfig(config), instance } as SetupContext<unknown>;
  const { phases } = await plugin.setup(context);
  return { calls, result: await phases[phase]?.(plugin.bindKong?.(channel), config) };
}
