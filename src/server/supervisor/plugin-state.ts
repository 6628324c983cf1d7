import type { Protocol } from '../../pdk/names/index.ts';
import type { LoadFailure, LoadReport, PluginSummary } from '../ipc/messages.ts';

/** What is known of the plugins that the workers serve. */
export class PluginState {
  plugins: readonly PluginSummary[] = [];
  failures: readonly LoadFailure[] = [];

  /**
   * Notes the plugins that a worker has loaded.
   * @returns the plugins whose dump has changed, and the failures that are new
   */
  update(report: LoadReport): { changed: string[]; newFailures: LoadFailure[] } {
    const before = new Map(this.plugins.map((plugin) => [plugin.name, plugin.fingerprint]));
    const changed = report.plugins
      .filter(({ name, fingerprint }) => before.has(name) && before.get(name) !== fingerprint)
      .map(({ name }) => name);
    const known = new Set(this.failures.map(keyOf));
    const newFailures = report.failures.filter((failure) => !known.has(keyOf(failure)));
    this.plugins = report.plugins;
    this.failures = report.failures;
    return { changed, newFailures };
  }

  /**
   * Whether all plugins of a socket speak one protocol. False while nothing has been loaded.
   * @param use the plugin or the protocol that Kong uses the socket for; null: everything
   */
  only(protocol: Protocol, use: string | null): boolean {
    const served = this.plugins.filter((one) => use === null || one.name === use || one.protocol === use);
    return served.length > 0 && served.every((one) => one.protocol === protocol);
  }
}

function keyOf({ spec, message }: LoadFailure): string {
  return `${spec}\n${message}`;
}
