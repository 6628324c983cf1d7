import { beforeEach, expect, test } from 'vitest';
import { begunRequest } from '../../../src/server/connection/begun-request.ts';
import { farewell } from '../../../src/server/connection/farewell.ts';
import { owedAnswer } from '../../../src/server/connection/owed-answer.ts';
import { decodeValue } from '../../../src/wire/msgpack/index.ts';
import { encodeRequest } from '../../../src/wire/msgpack/kong-side.ts';
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

const found = () => readOpenRequests(new Int32Array(file.buffer));
const request = { ticket: 3, id: 2 ** 32 - 1, eventId: 2 ** 32 - 256, phase: 'access' } as const;

test('a request is there as it comes, and crossed out before its answer', () => {
  const place = open.open(request);
  expect(found()).toEqual([request]);
  const other = open.open({ ...request, ticket: 4, id: 1, eventId: 0, phase: 'log' });
  expect(found()).toEqual([request, { ticket: 4, id: 1, eventId: 0, phase: 'log' }]);
  open.close(place);
  expect(found()).toHaveLength(1);
  open.close(other);
  expect([found(), writes]).toEqual([[], 4]);
});

test('a file that cannot be written to is left alone', () => {
  let tried = 0;
  const broken = new OpenRequests(4, () => {
    tried++;
    throw new Error('EIO');
  });
  broken.close(broken.open(request));
  expect([broken.open(request), tried]).toEqual([-1, 1]);
});

test('a step that another worker answers has no phase', () => {
  const step = { ...request, eventId: 0, phase: null };
  open.open(step);
  expect(found()).toEqual([step]);
});

test('more than there is room for, ids beyond 32 bits and a server without a file are not noted', () => {
  expect(Array.from({ length: 4200 }, () => open.open(request)).filter((place) => place < 0)).toHaveLength(
    104,
  );
  expect(open.open({ ...request, id: 2 ** 32 })).toBe(-1);
  expect(new OpenRequests(null).open(request)).toBe(-1);
  open.close(-1);
});

test('a StartInstance is noted as one, and answered with an id that nobody knows, whatever ended the worker', () => {
  const start = { ...request, eventId: 0, phase: 'start' } as const;
  open.open(start);
  expect(found()).toEqual([start]);
  for (const suspect of [false, true]) {
    const bytes = owedAnswer(start, suspect);
    const answer = decodeValue(bytes.subarray(0, bytes.length - farewell.msgpack.length));
    expect(answer).toEqual([
      1,
      start.id,
      null,
      expect.objectContaining({ Id: expect.any(Number) as number }),
    ]);
  }
});

test.each([
  ['plugin.StartInstance', { Name: 'a', Config: 'x'.repeat(500) }, { id: 7, eventId: 0, phase: 'start' }],
  ['plugin.Step', { EventId: 5, Data: 'x'.repeat(500) }, { id: 7, eventId: 5, phase: 'access' }],
  ['plugin.Step', { EventId: 6, Data: 'x'.repeat(500) }, { id: 7, eventId: 0, phase: null }],
])(
  'of a request whose rest is still to come, what it is about is noted: %s %j',
  (method, argument, noted) => {
    const begun = encodeRequest(7, method, [argument]).subarray(0, 200);
    expect(begunRequest(begun, (eventId) => (eventId === 5 ? 'access' : null))).toEqual(noted);
    expect(begunRequest(begun.subarray(0, 2), () => null)).toEqual({ id: 0, eventId: 0, phase: null });
  },
);
