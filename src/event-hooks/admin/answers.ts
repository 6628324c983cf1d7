import { z } from 'zod';
import type { KindSet } from '../model/kind-set.ts';
import { hookAnswer } from '../model/schema.ts';

/**
 * The answers of the Admin API, as schemas. The OpenAPI document and the types of the routes are made from them. The
 * schemas that check requests describe those.
 */
const secondsOf = (what: string) => z.number().describe(`Seconds since the epoch: ${what}.`);

const attempt = z.strictObject({
  attempt: z.int().describe('From 1.'),
  at: secondsOf('when it ended'),
  status: z.int().nullable(),
  latency_ms: z.number(),
  error: z.string().nullable(),
});
export type AttemptAnswer = z.infer<typeof attempt>;

const delivery = z.strictObject({
  id: z.string().describe('The value of the header webhook-id.'),
  event_hook: z.strictObject({ id: z.string() }),
  event_id: z.string(),
  source: z.string(),
  event: z.string(),
  state: z.enum(['pending', 'waiting', 'delivered', 'dead']),
  attempts: z.int(),
  status: z.int().nullable(),
  latency_ms: z.number().nullable(),
  error: z.string().nullable(),
  response: z.string().nullable().describe('The beginning of the response.'),
  created_at: secondsOf('when the event was stored').nullable(),
  finished_at: secondsOf('when the last attempt ended').nullable(),
  next_attempt_at: secondsOf('when it is tried again').nullable(),
  payload: z.looseObject({}),
  history: z
    .array(attempt)
    .optional()
    .describe('The last attempts, oldest first; where one delivery is read.'),
});
export type DeliveryAnswer = z.infer<typeof delivery>;

const eventInfo = z.strictObject({
  fields: z.array(z.string()),
  unique: z.array(z.string()).optional(),
  description: z.string().optional(),
});

const testResult = z.looseObject({
  data: z.looseObject({}).describe("What the hook's handler was given."),
  result: z.union([
    z.boolean(),
    z.looseObject({ error: z.string() }),
    z.looseObject({ body: z.string(), headers: z.looseObject({}), status: z.int() }),
  ]),
});

const ping = z.looseObject({
  source: z.string(),
  event: z.string(),
  event_hooks: z.looseObject({}).describe('The hook, without its secrets.'),
});

const replayed = z.strictObject({
  replayed: z.int(),
  offset: z
    .string()
    .nullable()
    .optional()
    .describe('Where the next portion begins; null when there is no more.'),
});
export type ReplayedAnswer = z.infer<typeof replayed>;

const status = z.strictObject({
  store: z.string().describe('The kind of the store.'),
  durable: z.boolean().describe('Whether what is acknowledged survives the process.'),
  store_healthy: z.boolean(),
  delivering: z.boolean().describe('Whether this process delivers: it holds the lease.'),
  hooks: z.int(),
  unfinished: z.int().describe('Deliveries that are pending or wait for an attempt.'),
});
export type StatusAnswer = z.infer<typeof status>;

const message = z.looseObject({ message: z.string() });
const violation = z.looseObject({
  message: z.string(),
  name: z.string(),
  code: z.int(),
  fields: z.looseObject({}).describe('What is wrong, by the fields.'),
});

const page = (items: z.ZodType) =>
  z.strictObject({
    data: z.array(items),
    next: z.string().nullable().describe('The path of the next page; null on the last one.'),
    offset: z.string().optional(),
  });

/** The names that the document has for schemas: those of `answers`, and what a hook is written as. */
export type ComponentName = keyof ReturnType<typeof answers> | 'HookInput';

/** Every schema of an answer, by the name that the document refers to it with. */
export function answers(kinds: KindSet) {
  const hook = hookAnswer(kinds.names);
  return {
    Hook: hook,
    HookPage: page(hook),
    EventInfo: eventInfo,
    Delivery: delivery,
    DeliveryPage: page(delivery),
    TestResult: testResult,
    Ping: ping,
    Replayed: replayed,
    Status: status,
    Message: message,
    SchemaViolation: violation,
  } satisfies Readonly<Record<string, z.ZodType>>;
}
