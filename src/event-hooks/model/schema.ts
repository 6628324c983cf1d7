import { z } from 'zod';
import type { KindDescription } from './kind.ts';

/** What users write, whatever the handler. Kong's fields carry Kong's defaults; ours are optional and stay away while unset. */
const text = z.string().min(1, 'length must be at least 1');
const name = text
  .max(256, 'length must be at most 256')
  .regex(/^\P{Cc}*$/u, 'must not hold control characters');
const integer = (min: number, max: number) =>
  z
    .int()
    .min(min, `value should be between ${String(min)} and ${String(max)}`)
    .max(max, `value should be between ${String(min)} and ${String(max)}`);

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
export const filterSchema = z.record(
  text,
  z.union(
    [
      scalar,
      z.strictObject({
        eq: scalar.optional(),
        ne: scalar.optional(),
        in: z.array(scalar).optional(),
        not_in: z.array(scalar).optional(),
        gt: z.number().optional(),
        gte: z.number().optional(),
        lt: z.number().optional(),
        lte: z.number().optional(),
        exists: z.boolean().optional(),
        starts_with: z.string().optional(),
        ends_with: z.string().optional(),
        contains: z.string().optional(),
      }),
    ],
    {
      error:
        'expected a value, or conditions among eq, ne, in, not_in, gt, gte, lt, lte, exists, starts_with, ends_with, contains',
    },
  ),
);

const common = {
  source: name,
  event: name.nullable().default(null).describe('null: every event of the source.'),
  on_change: z
    .boolean()
    .nullable()
    .default(null)
    .describe('Fire only when the payload differs from the last one.'),
  snooze: integer(0, 31_536_000).nullable().default(null).describe('Seconds of silence after a firing.'),
  enabled: z.boolean().optional().describe('Left out while true. false: the hook does not fire.'),
  filter: filterSchema.optional().describe('Dotted path in the payload to a value or to conditions.'),
  concurrency: integer(1, 1024).optional().describe('Deliveries in flight at a time.'),
  rate: z.number().gt(0, 'value must be greater than 0').optional().describe('Deliveries per second.'),
  retry_schedule: z
    .array(z.number().min(0, 'value should be 0 or more').max(31_536_000, 'value should be 31536000 or less'))
    .max(100, 'length must be at most 100')
    .optional()
    .describe('Seconds between attempts.'),
};
/** What the dispatcher adds to a hook. */
const stored = {
  id: z.uuid(),
  created_at: z.int().describe('Seconds since the epoch.'),
  updated_at: z.int().describe('Seconds since the epoch.'),
  disabled_reason: z.string().optional().describe('Why the hook was switched off by itself.'),
};
/** A hook of one kind; `config` may be left out where the kind needs nothing. */
export function schemaOf({ name, config }: KindDescription): z.ZodObject {
  const optional = config.safeParse({}).success;
  return z.strictObject({
    ...common,
    handler: z.literal(name),
    config: optional ? config.default({}) : config,
  });
}

/**
 * A hook as it is shown. Of a stored row that makes no hook any more, source and event are whatever text it holds, and
 * its configuration is those fields that can be read.
 */
export const hookAnswer = (handlers: readonly string[]) =>
  z.strictObject({
    ...stored,
    ...common,
    source: z.string(),
    event: z.string().nullable().describe('null: every event of the source.'),
    handler: z.enum(handlers),
    config: z.looseObject({}),
  });

/** The schema of a hook whose handler is unknown: it finds what is wrong with the other fields, too. */
export const handlerlessSchema = z.looseObject(common);
