import type { KindSet } from '../model/kind-set.ts';

type Schema = Record<string, unknown>;

const text = { type: 'string' };
const nullable = (type: string): Schema => ({ type: [type, 'null'] });
const record = (
  properties: Record<string, Schema>,
  required: string[] = Object.keys(properties),
): Schema => ({
  type: 'object',
  properties,
  required,
});
const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
const seconds = { type: 'number', description: 'Seconds since the epoch.' };

const ours = {
  enabled: { type: 'boolean', description: 'Left out while true. false: the hook does not fire.' },
  disabled_reason: { type: 'string', description: 'Why the hook was switched off by itself.' },
  filter: { type: 'object', description: 'Dotted path in the payload to a value or to conditions.' },
  concurrency: { type: 'integer', description: 'Deliveries in flight at a time.' },
  rate: { type: 'number', description: 'Deliveries per second.' },
  retry_schedule: { type: 'array', items: { type: 'number' }, description: 'Seconds between attempts.' },
};

const hookFields = {
  id: { type: 'string', format: 'uuid' },
  created_at: { type: 'integer', description: 'Seconds since the epoch.' },
  updated_at: { type: 'integer', description: 'Seconds since the epoch.' },
  source: text,
  event: { ...nullable('string'), description: 'null: every event of the source.' },
  handler: text,
  on_change: { ...nullable('boolean'), description: 'Fire only when the payload differs from the last one.' },
  snooze: { ...nullable('integer'), description: 'Seconds of silence after a firing.' },
  config: { type: 'object' },
};

const deliveryFields = {
  id: { type: 'string', description: 'The value of the header webhook-id.' },
  event_hook: record({ id: text }),
  event_id: text,
  source: text,
  event: text,
  state: { type: 'string', enum: ['pending', 'waiting', 'delivered', 'dead'] },
  attempts: { type: 'integer' },
  status: nullable('integer'),
  latency_ms: nullable('number'),
  error: nullable('string'),
  response: { ...nullable('string'), description: 'The beginning of the response.' },
  created_at: seconds,
  finished_at: nullable('number'),
  next_attempt_at: nullable('number'),
  payload: { type: 'object' },
};

const history = {
  type: 'array',
  description: 'The last attempts, oldest first; where one delivery is read.',
  items: record({
    attempt: { type: 'integer' },
    at: seconds,
    status: nullable('integer'),
    latency_ms: { type: 'number' },
    error: nullable('string'),
  }),
};

/** Only keys that the hook's answers have; what is sent is described by HookInput, made from the very schemas in use. */
export function componentSchemas(kinds: KindSet): Record<string, Schema> {
  const handler = { type: 'string', enum: kinds.names };
  return {
    HookInput: kinds.document,
    Hook: {
      ...record(hookFields),
      properties: { ...hookFields, handler, ...ours },
      additionalProperties: false,
    },
    HookPage: page(ref('Hook')),
    EventInfo: {
      ...record({ fields: { type: 'array', items: text } }),
      properties: {
        fields: { type: 'array', items: text },
        unique: { type: 'array', items: text },
        description: text,
      },
      additionalProperties: false,
    },
    Delivery: {
      ...record(deliveryFields),
      properties: { ...deliveryFields, history },
      additionalProperties: false,
    },
    DeliveryPage: page(ref('Delivery')),
    TestResult: record({
      data: { type: 'object' },
      result: {
        anyOf: [
          { type: 'boolean' },
          record({ error: text }),
          record({ body: text, headers: { type: 'object' }, status: { type: 'integer' } }),
        ],
      },
    }),
    Ping: record({ source: text, event: text, event_hooks: { type: 'object' } }),
    Replayed: {
      ...record({ replayed: { type: 'integer' } }),
      description: 'With an offset when there is more.',
    },
    Status: record({
      store: text,
      durable: { type: 'boolean' },
      store_healthy: { type: 'boolean' },
      delivering: { type: 'boolean' },
      hooks: { type: 'integer' },
      unfinished: { type: 'integer' },
    }),
    Message: record({ message: text }),
    SchemaViolation: record({
      message: text,
      name: text,
      code: { type: 'integer' },
      fields: { type: 'object' },
    }),
  };
}

function page(items: Schema): Schema {
  return {
    ...record({ data: { type: 'array', items }, next: nullable('string') }),
    properties: { data: { type: 'array', items }, next: nullable('string'), offset: text },
    additionalProperties: false,
  };
}

export { ref };
