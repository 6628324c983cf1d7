import { describe, expect, it } from 'vitest';
import { InFlightRegister, readInFlight } from '../../../src/server/in-flight/register.ts';

const read = (register: InFlightRegister, now = Date.now()) =>
  readInFlight(new Int32Array(register.memory), now);

describe('InFlightRegister', () => {
  it('holds what runs, the youngest first', () => {
    const register = new InFlightRegister();
    const first = register.enter(2 ** 31 - 1, 'access');
    register.enter(7, 'log');
    const now = Date.now() + 250;
    expect(read(register, now).map(({ instance, phase }) => [instance, phase])).toContainEqual([7, 'log']);
    expect(read(register, now)).toHaveLength(2);
    expect(read(register, now).every(({ ranForMs }) => ranForMs >= 250 && ranForMs < 1000)).toBe(true);
    register.leave(first);
    expect(read(register)).toMatchObject([{ instance: 7, phase: 'log' }]);
  });

  it('uses places again, and lets events run when there is none', () => {
    const register = new InFlightRegister();
    for (let round = 0; round < 3; round++) {
      const places = Array.from({ length: 1100 }, (_, index) => register.enter(index + 1, 'access'));
      expect(read(register)).toHaveLength(1024);
      for (const place of places) register.leave(place);
      expect(read(register)).toEqual([]);
    }
  });
});
