import { z } from 'zod';
import type { KindSet } from '../model/kind-set.ts';
import { plugins, storeState } from './plugin-answers.ts';
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
  response: z.string().nullable().describe('The beginning of the response.'),
  request: z
    .strictObject({
      method: z.string(),
      url: z.string(),
      address: z
        .string()
        .nullable()
        .describe('Address and port of the other end; null: there was no connection.'),
      headers: z.record(z.string(), z.string()),
    })
    .nullable()
    .describe('What was sent, without secrets; null: nothing was, or it was not recorded.'),
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
  payload: z.looseObject({}).nullable().describe('null: the caller sees no payloads.'),
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
export type EventInfoAnswer = z.infer<typeof eventInfo>;

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
  delivering: z.boolean().describe('Whether this process delivers: it holds a lease.'),
  rights: z
    .array(z.strictObject({ name: z.string(), epoch: z.int() }))
    .describe('What this process holds a lease for: "leader", origins of targets, or "*" for everything.'),
  hooks: z.int(),
  unfinished: z.int().describe('Deliveries that are pending or wait for an attempt.'),
});
export type StatusAnswer = z.infer<typeof status>;

const count = z.int().nullable().describe('null: not known, for the reason beside it.');
const latencies = {
  p50_ms: z.number().nullable().describe('Half of the attempts took no longer. null: there were none.'),
  p95_ms: z.number().nullable(),
};
const hookHistory = z.strictObject({
  event_hook: z.strictObject({ id: z.string() }),
  pending: count,
  waiting: count,
  dead: count,
  delivered: count,
  failed: count,
  gave_up: count,
  ...latencies,
  hours: z
    .array(
      z.strictObject({
        at: secondsOf('its beginning'),
        delivered: z.int().describe('Deliveries that succeeded.'),
        failed: z.int().describe('Attempts that failed.'),
        gave_up: z.int().describe('Deliveries that were given up.'),
        ...latencies,
      }),
    )
    .describe('Hours with an attempt, oldest first.'),
  reason: z.string().nullable().describe('Why a number is not known.'),
});
export type HookHistoryAnswer = z.infer<typeof hookHistory>;

const history = z.strictObject({
  from: secondsOf('the beginning of the first hour'),
  to: secondsOf('now'),
  hour_seconds: z.number(),
  counted_since: secondsOf('attempts before it were not counted').nullable(),
  data: z.array(hookHistory),
});
export type HistoryAnswer = z.infer<typeof history>;

const replayJob = z.strictObject({
  id: z.string(),
  state: z.enum(['counting', 'ready', 'running', 'stopped', 'done', 'failed']),
  total: z.int().nullable().describe('How many were counted; null while it counts.'),
  found: z.int().describe('How many were counted so far.'),
  looked: z.int().describe('How many deliveries were looked at for that.'),
  replayed: z.int().describe('How many were made due.'),
  passed_over: z.int().describe('How many had gone, or were in another state, when their turn came.'),
  delivered: z
    .int()
    .nullable()
    .describe('How many were delivered with their next attempt; null: nobody counts.'),
  failed: z.int().nullable().describe('How many failed with it.'),
  error: z.string().nullable(),
  created_at: secondsOf('when it was asked for'),
  finished_at: secondsOf('when it was over').nullable(),
  query: z.looseObject({}).describe('What was asked for.'),
});
export type ReplayJobAnswer = z.infer<typeof replayJob>;

const pastEvent = z.strictObject({
  id: z.string(),
  source: z.string(),
  event: z.string(),
  at: secondsOf('when it was emitted'),
  payload: z.looseObject({}).nullable().describe('null: the caller sees no payloads.'),
});
export type PastEventAnswer = z.infer<typeof pastEvent>;
const pastEvents = z.strictObject({
  data: z.array(pastEvent),
  reason: z.string().nullable().describe('Why there are none.'),
});
export type PastEventsAnswer = z.infer<typeof pastEvents>;

const checked = z.strictObject({
  valid: z.boolean(),
  message: z.string().nullable(),
  fields: z.looseObject({}).describe('What is wrong, by the fields.'),
});
export type CheckedAnswer = z.infer<typeof checked>;

const matched = z.strictObject({
  events: z.int().describe('Stored events that were looked at.'),
  fired: z.int().describe('How many of them would have fired the hook; on_change and snooze do not count.'),
  examples: z.array(
    z.strictObject({
      id: z.string(),
      event: z.string(),
      at: secondsOf('when it was emitted'),
      fires: z.boolean(),
    }),
  ),
  reason: z.string().nullable().describe('Why there is no event to look at.'),
});
export type MatchedAnswer = z.infer<typeof matched>;

const rendered = z.strictObject({
  request: z.strictObject({
    method: z.string(),
    url: z.string(),
    headers: z.record(z.string(), z.string()),
    body: z.string().nullable(),
  }),
  event_id: z.string().nullable(),
});
export type RenderedAnswer = z.infer<typeof rendered>;

const rotated = z.strictObject({
  event_hook: z.strictObject({ id: z.string() }),
  secret: z.string(),
  previous_secrets_until: secondsOf('until then the old secret signs, too').nullable(),
});
export type RotatedAnswer = z.infer<typeof rotated>;

const judgement = z.enum(['valid', 'invalid', 'absent', 'unknown']);
const received = z.strictObject({
  id: z.string().describe('The value of webhook-id.'),
  event_hook: z.strictObject({ id: z.string() }).nullable(),
  at: secondsOf('when it came'),
  method: z.string(),
  path: z.string(),
  headers: z.record(z.string(), z.string()),
  body: z.string().nullable().describe('Its beginning; null: the caller sees no payloads.'),
  body_cut: z.boolean(),
  bytes: z.int().describe('Of the whole body.'),
  signature: z.strictObject({ standard: judgement, kong: judgement, reason: z.string().nullable() }),
});
export type ReceivedAnswer = z.infer<typeof received>;
const receiver = z.strictObject({ url: z.string(), data: z.array(received) });
export type ReceiverAnswer = z.infer<typeof receiver>;

const session = z.strictObject({
  role: z.enum(['admin', 'read']).nullable().describe('null: a token is needed.'),
  login: z.boolean().describe('Whether a token is needed here at all.'),
  payloads: z.boolean().describe('Whether the caller sees what events hold.'),
  expires_at: secondsOf('when the session ends').nullable(),
  csrf_header: z.string().describe('The header that a page sends, as 1, with what changes something.'),
});
export type SessionAnswer = z.infer<typeof session>;

const message = z.looseObject({ message: z.string() });
const violation = z.looseObject({
  message: z.string(),
  name: z.string(),
  code: z.int(),
  fields: z.looseObject({}).describe('What is wrong, by the fields.'),
});

const deliveryPage = z.strictObject({
  data: z.array(delivery),
  next: z.string().nullable().describe('The path of the next page; null on the last one.'),
  offset: z.string().optional(),
  looked: z.int().describe('How many deliveries this call has looked at.'),
  complete: z
    .boolean()
    .describe(
      'Whether the page is full, or nothing is left; false: the time is up, and `next` goes on from there.',
    ),
});
export type DeliveryPageAnswer = z.infer<typeof deliveryPage>;

const page = (items: z.ZodType) =>
  z.strictObject({
    data: z.array(items),
    next: z.string().nullable().describe('The path of the next page; null on the last one.'),
    offset: z.string().optional(),
  });

export type HookAnswer = z.infer<ReturnType<typeof hookAnswer>>;

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
    DeliveryPage: deliveryPage,
    TestResult: testResult,
    Ping: ping,
    Replayed: replayed,
    Status: status,
    Session: session,
    History: history,
    Plugins: plugins,
    Store: storeState,
    Receiver: receiver,
    PastEvents: pastEvents,
    Checked: checked,
    Matched: matched,
    Rendered: rendered,
    Rotated: rotated,
    ReplayJob: replayJob,
    ReplayJobs: z.strictObject({ data: z.array(replayJob) }),
    Message: message,
    SchemaViolation: violation,
  } satisfies Readonly<Record<string, z.ZodType>>;
}
