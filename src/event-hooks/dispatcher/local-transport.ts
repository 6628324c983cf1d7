import { Interest } from '../client/interest.ts';
import type { EventTransport, TransportStats } from '../client/transport.ts';
import type { EventDeclaration, HookEvent } from '../model/event.ts';
import type { Feed } from './feed.ts';
import type { Intake } from './intake.ts';

/** The way to a dispatcher in the same process. Events that cannot be stored are dropped and counted. */
export class LocalTransport implements EventTransport {
  readonly stats: TransportStats = { sent: 0, acknowledged: 0, dropped: 0, buffered: 0 };
  readonly #intake: Intake;
  readonly #publish: (declaration: EventDeclaration) => void;
  readonly #unwatch: () => void;
  readonly #running = new Set<Promise<void>>();
  #interest = new Interest([]);

  constructor(intake: Intake, feed: Feed, publish: (declaration: EventDeclaration) => void) {
    this.#intake = intake;
    this.#publish = publish;
    this.#unwatch = feed.watchInterest((list) => {
      this.#interest = new Interest(list);
    });
  }

  get interest(): Interest {
    return this.#interest;
  }
  publish(declaration: EventDeclaration): void {
    this.#publish(declaration);
  }
  send(events: HookEvent[]): void {
    this.stats.sent += events.length;
    this.stats.buffered += events.length;
    const running = this.#deliver(events);
    this.#running.add(running);
    void running.finally(() => this.#running.delete(running));
  }
  async flush(): Promise<void> {
    await Promise.all(this.#running);
  }
  async close(): Promise<void> {
    this.#unwatch();
    await this.flush();
  }

  async #deliver(events: HookEvent[]): Promise<void> {
    try {
      const { refused } = await this.#intake.accept(events);
      this.stats.dropped += refused.length;
      this.stats.acknowledged += events.length - refused.length;
    } catch {
      this.stats.dropped += events.length;
    } finally {
      this.stats.buffered -= events.length;
    }
  }
}
