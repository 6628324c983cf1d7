import { messageOf } from '../../base/errors.ts';
import type { HookLog } from '../log.ts';
import type { HookStore } from '../store/types.ts';

export interface OthersChangesOptions {
  store: Pick<HookStore, 'onChange' | 'catchUp'>;
  log: HookLog;
  /** Reads the hooks again. */
  readHooks: () => Promise<void>;
  /** Looks for deliveries that nobody here was offered. */
  lookForDeliveries: () => void;
  /** Asks for rights: some were given up. */
  askForRights: () => void;
}

/**
 * Takes over what other processes write to the store. When the store tells of a change, it is read at once. A caller
 * that needs the change in force waits for that.
 */
export class OthersChanges {
  readonly #options: OthersChangesOptions;
  /** Hooks were changed and not read yet. */
  #told = false;
  #reading: Promise<void> | null = null;
  #end: () => void = () => undefined;

  constructor(options: OthersChangesOptions) {
    this.#options = options;
  }

  /** Listens from now on. It begins before the first reading, so that no change comes between the two. */
  start(): void {
    const { store, log } = this.#options;
    this.#end = store.onChange(({ hooks, deliveries, rights }) => {
      if (rights) this.#options.askForRights();
      // At once: what is offered next must not overtake what others have stored.
      if (deliveries) this.#options.lookForDeliveries();
      if (!hooks) return;
      this.#told = true;
      this.#read().catch((error: unknown) => {
        log.warn('what another process has changed cannot be read yet', { error: messageOf(error) });
      });
    });
  }
  stop(): void {
    this.#end();
  }

  /**
   * Resolves when everything is in force that the store has told or can tell without asking anybody.
   * @throws KongTsError STORE_FAILED if it cannot be read. What is known stays in force, and the next call tries again
   */
  async inForce(): Promise<void> {
    this.#options.store.catchUp();
    while (this.#told) await this.#read();
    await this.#reading;
  }

  #read(): Promise<void> {
    return (this.#reading ??= this.#readNow().finally(() => {
      this.#reading = null;
    }));
  }

  async #readNow(): Promise<void> {
    this.#told = false;
    try {
      await this.#options.readHooks();
    } catch (error) {
      this.#told = true;
      throw error;
    }
  }
}
