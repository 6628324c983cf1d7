import { messageOf } from '../../base/errors.ts';
import type { Phase } from '../../pdk/names/index.ts';
import type { BoundPlugin, Exchange, PluginTable } from '../../kong-end/index.ts';

/** Runs one phase of one plugin; an unforeseen failure ends the exchange with 500 as a Lua error does. */
export async function runPhase(phase: Phase, exchange: Exchange, plugin: BoundPlugin): Promise<void> {
  if (!plugin.handler.phases.has(phase)) return;
  try {
    await plugin.handler.run(phase, exchange, plugin);
  } catch (error) {
    exchange.node.log('error', `[${plugin.handler.name}] ${phase}: ${messageOf(error)}`);
    if (phase !== 'log') exchange.abort(500);
  }
}

/** rewrite and certificate: global plugins only, until one of them ends the exchange. */
export async function runGlobals(phase: Phase, exchange: Exchange, table: PluginTable): Promise<void> {
  for (const plugin of table.globals(exchange.subsystem)) {
    if (exchange.aborted !== null) return;
    await runPhase(phase, exchange, plugin);
  }
}

/**
 * access and preread: finds the exchange's plugins and runs each as it is found. After an exit the search goes on
 * without running any more, so that all of them log.
 */
export async function runCollecting(phase: Phase, exchange: Exchange, table: PluginTable): Promise<void> {
  const collected: BoundPlugin[] = [];
  exchange.plugins = collected;
  for (const plugin of table.collect(exchange)) {
    collected.push(plugin);
    if (exchange.aborted === null) await runPhase(phase, exchange, plugin);
  }
}

/** response: the collected plugins, until one of them makes another answer. */
export async function runCollected(phase: Phase, exchange: Exchange): Promise<void> {
  for (const plugin of exchange.plugins ?? []) {
    if (exchange.aborted !== null) return;
    await runPhase(phase, exchange, plugin);
  }
}

/** log: each plugin in a timer of its own; a failure is an error line only. */
export async function runLog(exchange: Exchange, table: PluginTable): Promise<void> {
  const plugins = exchange.plugins ?? table.globals(exchange.subsystem);
  await Promise.all(plugins.map((plugin) => runPhase('log', exchange, plugin)));
}
