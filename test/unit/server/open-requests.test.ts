import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  OpenRequests,
  readOpenRequests,
  requestsAt,
  requestsSize,
} from '../../../src/server/in-flight/open-requests.ts';

/** The file as the supervisor would find it. */
let file: Uint8Array;
let writes: number;
let open: OpenRequests;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setImmediate'] });
  file = new Uint8Array(requestsSize);
  writes = 0;
  const write = (
    _descriptor: number,
    bytes: Uint8Array,
    from: number,
    length: number,
    position: number,
  ): number => {
    writes++;
    file.set(bytes.subarray(from, from + length), position - requestsAt);
    return length;
  };
  open = new OpenRequests(4, write as ConstructorParameters<typeof OpenRequests>[1]);
});
afterEach(() => vi.useRealTimers());

const found = () => readOpenRequests(new Int32Array(file.buffer));
const request = { ticket: 3, id: 2 ** 32 - 1, eventId: 2 ** 32 - 256, phase: 'access' } as const;

test('a request that is answered in the same turn is never written', () => {
  open.close(open.open(request));
  vi.runAllTimers();
  expect(writes).toBe(0);
});

test('one that takes longer is there at the end of the turn, and crossed out before its answer', () => {
  const place = open.open(request);
  const other = open.open({ ...request, ticket: 4, id: 1, eventId: 0, phase: 'log' });
  expect(found()).toEqual([]);
  vi.runAllTimers();
  expect(found()).toEqual([request, { ticket: 4, id: 1, eventId: 0, phase: 'log' }]);
  open.close(place);
  expect(found()).toHaveLength(1);
  open.close(other);
  expect([found(), writes]).toEqual([[], 4]);
});

test('what a guard has written of an event loop that stood still is crossed out, too', () => {
  const place = open.open(request);
  const memory = new Uint8Array(open.memory);
  new Int32Array(open.memory, 0, 1)[0] = 1;
  file.set(memory.subarray(4));
  expect(found()).toEqual([request]);
  open.close(place);
  expect(found()).toEqual([]);
  // From the next one on nothing of the guard's is believed.
  open.open(request);
  vi.runAllTimers();
  expect(new Int32Array(open.memory, 0, 1)[0]).toBe(0);
  expect(found()).toEqual([request]);
});

test('where it is careful, each request is there as it comes', () => {
  open.careful = true;
  const place = open.open(request);
  expect(found()).toEqual([request]);
  vi.runAllTimers();
  open.close(place);
  expect([found(), writes]).toEqual([[], 2]);
});

test('a step that another worker answers has no phase', () => {
  const step = { ...request, eventId: 0, phase: null };
  open.open(step);
  vi.runAllTimers();
  expect(found()).toEqual([step]);
});

test('more than there is room for, ids beyond 32 bits and a server without a file are not noted', () => {
  expect(Array.from({ length: 600 }, () => open.open(request)).filter((place) => place < 0)).toHaveLength(88);
  expect(open.open({ ...request, id: 2 ** 32 })).toBe(-1);
  expect(new OpenRequests(null).open(request)).toBe(-1);
  open.close(-1);
});
