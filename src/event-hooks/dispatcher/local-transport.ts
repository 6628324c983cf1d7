import { DoublingPause } from '../../base/doubling-pause.ts';
import { KongTsError } from '../../base/errors.ts';
import { EmitBuffer } from '../client/emit-buffer.ts';
import type { Batch } from '../client/emit-buffer.ts';
import { Interest } from '../client/interest.ts';
import type { EventTransport, TransportStats } from '../client/transport.ts';
import type { EventDeclaration, HookEvent } from '../model/event.ts';
import type { Feed } from './feed.ts';
import type { Intake } from './intake.ts';

const firstRetryMs = 100;
const maxRetryMs = 1000;

/**
 * The way to a dispatcher in the same process. While the store fails, it keeps events in order and tries them again,
 * within the same bounds as towards another process. It drops and counts events that do not fit.
 */
export class LocalTransport implements EventTransport {
  readonly stats: TransportStats = { sent: 0, acknowledged: 0, dropped: 0, buffered: 0 };
  readonly #intake: Intake;
  readonly #publish: (declaration: EventDeclaration) => void;
  readonly #unwatch: () => void;
  readonly #buffer = new EmitBuffer(10_000, 32 * 1024 * 1024, this.stats);
  #interest = new Interest([]);
  #retry: NodeJS.Timeout | null = null;
  readonly #pause = new DoublingPause(firstRetryMs, maxRetryMs);

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
    this.#buffer.add(events);
    if (this.#retry === null) this.#pump();
  }

  flush(timeoutMs = 5000): Promise<void> {
    return this.#buffer.emptied(timeoutMs);
  }
  async close(): Promise<void> {
    this.#unwatch();
    await this.flush();
    if (this.#retry !== null) clearTimeout(this.#retry);
  }

  #pump(): void {
    this.#retry = null;
    for (let batch = this.#buffer.next(); batch !== null; batch = this.#buffer.next())
      void this.#deliver(batch);
  }

  async #deliver({ number, events }: Batch): Promise<void> {
    try {
      const { refused } = await this.#intake.accept(events);
      this.#buffer.acknowledge(number, refused.length);
      this.#pause.reset();
    } catch (error) {
      if (!(error instanceof KongTsError && error.code === 'STORE_FAILED')) {
        // A failure that time does not mend.
        this.#buffer.acknowledge(number, events.length);
        return;
      }
      // The dispatcher has said why in its log.
      this.#buffer.putBack(number);
      this.#retry ??= setTimeout(() => {
        this.#pump();
      }, this.#pause.next()).unref();
    }
  }
}
