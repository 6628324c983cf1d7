import { describe, expectTypeOf, it } from 'vitest';
import { eventHooks } from '../../src/event-hooks/index.ts';
import type { EventData, EventHandle } from '../../src/event-hooks/index.ts';

describe('the types of published events', () => {
  it('the fields are the keys of the data', () => {
    const published = eventHooks.publish('types', 'test', {
      fields: ['consumer', 'ip'],
      unique: ['consumer'],
      description: 'for the types',
    });
    expectTypeOf(published).toEqualTypeOf<EventHandle<'consumer' | 'ip'>>();
    expectTypeOf<Parameters<(typeof published)['emit']>[0]>().toEqualTypeOf<
      EventData<'consumer' | 'ip'> | (() => EventData<'consumer' | 'ip'>)
    >();
    expectTypeOf<keyof EventData<'consumer' | 'ip'>>().toEqualTypeOf<'consumer' | 'ip'>();
    published.emit({ consumer: { id: 'c' }, ip: null });
    published.emit(() => ({ ip: '127.0.0.1' }));
    // @ts-expect-error a field that was not published
    published.emit({ consumer: null, service: 's' });
    // @ts-expect-error unique fields are among the fields
    eventHooks.publish('types', 'test', { fields: ['a'], unique: ['b'] });
    // Without the handle, the data is any object.
    eventHooks.emit('types', 'test', { anything: 1 });
    expectTypeOf(published.wants()).toEqualTypeOf<boolean>();
  });
});
