import { Balancer, PluginTable, Router } from '../../kong-end/index.ts';
import type { ConfigSnapshot, EntityStore, PluginHandler, SandboxLog } from '../../kong-end/index.ts';

/** The compiled configuration: router, plugins and balancer, made anew with each change. */
export class ConfigState {
  readonly #handlers: () => readonly PluginHandler[];
  readonly #log: SandboxLog;
  readonly #unsubscribe: () => void;
  #sequence = 0;
  snapshot: ConfigSnapshot;
  router: Router;
  table: PluginTable;
  balancer: Balancer;

  constructor(store: EntityStore, handlers: () => readonly PluginHandler[], log: SandboxLog) {
    this.#handlers = handlers;
    this.#log = log;
    this.snapshot = store.snapshot();
    this.router = new Router(this.snapshot, log);
    this.table = this.#buildTable(null);
    this.balancer = new Balancer(this.snapshot);
    this.#unsubscribe = store.onChange((snapshot) => this.#update(snapshot));
  }

  close(): void {
    this.#unsubscribe();
  }

  #update(snapshot: ConfigSnapshot): void {
    this.snapshot = snapshot;
    this.router = new Router(snapshot, this.#log);
    this.table = this.#buildTable(this.table);
    this.balancer = new Balancer(snapshot);
  }

  #buildTable(previous: PluginTable | null): PluginTable {
    return new PluginTable(this.snapshot, this.#handlers(), previous, () => ++this.#sequence);
  }
}
