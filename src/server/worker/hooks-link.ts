import { messageOf } from '../../base/errors.ts';
import { eventHooks } from '../../event-hooks/client/index.ts';
import type { EventTransport } from '../../event-hooks/client/index.ts';
import type { DispatcherLaunch } from '../../event-hooks/serve/index.ts';
import type { ServerLog } from '../log/types.ts';

/** How long an instance waits for the dispatcher before it starts without, in milliseconds. */
const patienceMs = 5000;

/**
 * Connects the event hooks of this process to the dispatcher. Plugins that publish events start their instances only
 * once it is connected, so that the first requests raise events, too.
 */
export class HooksLink {
  readonly #log: ServerLog;
  readonly #expected: boolean;
  readonly #launch: DispatcherLaunch;
  #address: string | null = null;
  #transport: EventTransport | null = null;
  #connected: () => void = () => undefined;
  readonly #ready: Promise<void>;

  /**
   * @param expected whether there is a dispatcher, now or soon
   * @param launch how it is started
   */
  constructor(expected: boolean, log: ServerLog, launch: DispatcherLaunch) {
    this.#expected = expected;
    this.#launch = launch;
    this.#log = log;
    eventHooks.onUndeclared((source, event) => {
      log.warn('a plugin emits an event that nothing has published: no hook can be made for it', {
        source,
        event,
        fix: 'Declare it at the top of the plugin: eventHooks.publish(source, event, { fields: [...] }).',
      });
    });
    this.#ready = new Promise((resolve) => {
      this.#connected = resolve;
    });
  }

  get used(): boolean {
    return eventHooks.declares;
  }

  /** Resolves when events are delivered, or when that takes too long. */
  async ready(): Promise<void> {
    if (!this.#expected || !this.used || this.#transport !== null) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, patienceMs);
    });
    await Promise.race([this.#ready, late]);
    clearTimeout(timer);
  }

  async connect(address: string): Promise<void> {
    if (address === this.#address) return;
    this.#address = address;
    try {
      const { connectEventHooks } = await import('../../event-hooks/index.ts');
      const { grpcToken } = await import('../../event-hooks/serve/index.ts');
      const token = grpcToken(this.#launch, process.env);
      const transport = await connectEventHooks({ address, ...(token === null ? {} : { token }) });
      eventHooks.attachTransport(transport);
      this.#transport = transport;
      this.#connected();
    } catch (error) {
      this.#address = null;
      this.#log.error('the event hook dispatcher cannot be reached', { address, reason: messageOf(error) });
    }
  }

  /**
   * Delivers what has been emitted, then disconnects. Says how many events no dispatcher has taken: it may have ended
   * before this process, as where the supervisor was killed.
   */
  async close(limitMs: number): Promise<void> {
    const transport = this.#transport;
    if (transport === null) return;
    await eventHooks.flush(limitMs);
    const { buffered, dropped } = transport.stats;
    if (buffered > 0) {
      this.#log.error('the event hook dispatcher has not taken all events: they are lost', {
        events: buffered + dropped,
        address: this.#address,
      });
    }
    await transport.close();
  }
}
