import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PhaseChannel } from '../../../../src/pdk/channel.ts';
import { ExitSignal } from '../../../../src/pdk/channel.ts';
import { PhaseEvent } from '../../../../src/server/connection/event.ts';
import type { EventState } from '../../../../src/server/connection/event-state.ts';
import { runtimeOf } from '../../../../src/server/connection/runtime.ts';
import { rowOf } from '../../../conformance/transcripts/transcript.ts';
import { testHost, testInstance } from '../../../support/connection-host.ts';
import { expectNoUnhandledRejections } from '../../../support/no-unhandled.ts';
import { turns } from '../../../support/unix-server.ts';

expectNoUnhandledRejections();

const exit = rowOf('kong.response.exit');

/** An event that writes down what Kong would be told. */
class RecordedEvent extends PhaseEvent {
  readonly protocol = 'protobuf';
  readonly told: ('exit' | 'done' | 'last')[] = [];
  readonly states: EventState[] = [];
  refusesExit = false;
  ends = 0;
  lefts = 0;

  ask(): Promise<unknown> {
    return Promise.resolve(null);
  }
  send(): void {}
  sayLast(): void {
    if (!this.mayEndEarly()) return;
    this.told.push('last');
    this.endEarly();
  }
  protected sendExit(): void {
    if (this.refusesExit) throw new Error('it cannot be written');
    this.told.push('exit');
  }
  protected sendDone(): void {
    this.told.push('done');
  }
  protected left(): void {
    this.lefts++;
  }
  protected rejectCalls(): void {}
  protected waitingForKong(): null {
    return null;
  }
  protected override end(...reason: Parameters<PhaseEvent['end']>): void {
    this.ends++;
    super.end(...reason);
  }
}

const inputs = [
  ...[
    'return',
    'throw',
    'exit',
    'refused exit',
    'last words',
    'word',
    'exit as last word',
    'refused last exit',
  ],
  ...['hold', 'release', 'last call', 'answer', 'time over', 'Kong gone', 'turn'],
] as const;

test('whatever comes in whatever order, an event ends once, tells Kong one end, and stays ended', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...inputs), { maxLength: 14 }),
      fc.constantFrom('log' as const, 'access' as const),
      async (steps, phase) => {
        const host = testHost();
        const runtime = runtimeOf(host);
        const handler = Promise.withResolvers<void>();
        const instance = testInstance(7, { [phase]: () => handler.promise });
        const event = new RecordedEvent(runtime, instance, phase);
        const held: PromiseWithResolvers<void>[] = [];
        let words: PhaseChannel = event;
        const leave = (channel: PhaseChannel, refused: boolean) => {
          event.refusesExit = refused && !event.ended;
          void channel.exit(exit, [200]).catch(() => undefined);
          event.refusesExit = false;
        };
        const input: Record<string, () => void> = {
          return: () => handler.resolve(),
          throw: () => handler.reject(new ExitSignal()),
          exit: () => leave(event, false),
          'refused exit': () => leave(event, true),
          'last words': () => (words = event.lastWords()),
          word: () => void words.call(exit, []).catch(() => undefined),
          'exit as last word': () => leave(words, false),
          'refused last exit': () => {
            event.refusesExit = true;
            void words.exit(exit, [200]).catch(() => undefined);
            event.refusesExit = false;
          },
          hold: () => {
            const work = Promise.withResolvers<void>();
            held.push(work);
            event.hold(work.promise);
          },
          release: () => held.pop()?.resolve(),
          'last call': () => event.sayLast(),
          answer: () => event.answered(),
          'time over': () => host.clock.advance(40_000),
          'Kong gone': () => event.abandon('it is gone'),
        };
        event.run();
        for (const step of steps) {
          const before = event.state;
          if (step === 'turn') await turns(1);
          else input[step]?.();
          if (before === 'ended') expect(event.state).toBe('ended');
        }
        handler.resolve();
        for (const work of held) work.resolve();
        await turns(2);
        if (event.state !== 'ended') host.clock.advance(40_000);
        expect(event.state).toBe('ended');
        expect(event.ends).toBe(1);
        expect(event.told.length).toBeLessThanOrEqual(1);
        expect(event.lefts).toBeLessThanOrEqual(1);
        expect(runtime.look()).toMatchObject({ events: 0, deadlines: 0 });
        expect(instance.usage.events).toBe(0);
      },
    ),
    { numRuns: 150 },
  );
});
