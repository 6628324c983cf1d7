import { z } from 'zod';

/** What users write, by handler. Kong's fields carry Kong's defaults; ours are optional and stay away while unset. */
const text = z.string().min(1, 'length must be at least 1');
const name = text
  .max(256, 'length must be at most 256')
  .regex(/^\P{Cc}*$/u, 'must not hold control characters');
const headerName = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'invalid header name')
  .refine(
    (h) => !/^(content-length|transfer-encoding|connection|keep-alive|upgrade|expect|host)$/i.test(h),
    'this header is set by the connection itself',
  );
/** What a connection can carry; characters beyond ASCII go out as UTF-8. */
const headerValue = z.string().regex(/^(?:\t|\P{Cc})*$/u, 'invalid header value');
const decodes = (part: string): boolean => {
  try {
    decodeURIComponent(part);
    return true;
  } catch {
    return false;
  }
};
const url = z
  .string()
  .max(8192, 'length must be at most 8192')
  .superRefine((value, context) => {
    const parsed = URL.canParse(value) ? new URL(value) : null;
    if (parsed === null) context.addIssue({ code: 'custom', message: 'missing host in url' });
    else if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') {
      context.addIssue({ code: 'custom', message: 'expected a scheme of http or https' });
    } else if (parsed.hostname === '') context.addIssue({ code: 'custom', message: 'missing host in url' });
    else if (!decodes(parsed.username) || !decodes(parsed.password)) {
      context.addIssue({
        code: 'custom',
        message: 'user or password hold a % that is no percent-encoding (write %25 for it)',
      });
    }
  });
const integer = (min: number, max: number) =>
  z
    .int()
    .min(min, `value should be between ${String(min)} and ${String(max)}`)
    .max(max, `value should be between ${String(min)} and ${String(max)}`);
const secret = text.max(4096, 'length must be at most 4096');

const signed = {
  url,
  headers: z.record(headerName, headerValue).default({}),
  secret: secret.nullable().default(null),
  ssl_verify: z.boolean().default(true),
  previous_secrets: z.array(secret).max(8, 'at most 8 secrets').optional(),
  signature: z.enum(['sha256', 'sha1']).optional(),
};
export const webhookConfig = z.strictObject(signed);
export const webhookCustomConfig = z.strictObject({
  ...signed,
  method: z
    .string()
    .regex(/^[A-Z]{1,32}$/, 'expected an HTTP method in upper case')
    .refine((m) => m !== 'CONNECT' && m !== 'TRACE', 'CONNECT and TRACE are not allowed'),
  headers_format: z.boolean().default(false),
  payload: z.record(z.string(), z.string()).nullable().default(null),
  payload_format: z.boolean().default(true),
  body: z.string().nullable().default(null),
  body_format: z.boolean().default(true),
});
export const logConfig = z.strictObject({}).default({});
export const lambdaConfig = z.strictObject({
  functions: z.array(text).min(1, 'length must be at least 1').max(32, 'length must be at most 32'),
});

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
  event: name.nullable().default(null),
  on_change: z.boolean().nullable().default(null),
  snooze: integer(0, 31_536_000).nullable().default(null),
  enabled: z.boolean().optional(),
  filter: filterSchema.optional(),
  concurrency: integer(1, 1024).optional(),
  rate: z.number().gt(0, 'value must be greater than 0').optional(),
  retry_schedule: z
    .array(z.number().min(0, 'value should be 0 or more').max(31_536_000, 'value should be 31536000 or less'))
    .max(100, 'length must be at most 100')
    .optional(),
};
export const hookSchema = z.discriminatedUnion('handler', [
  z.strictObject({ ...common, handler: z.literal('webhook'), config: webhookConfig }),
  z.strictObject({ ...common, handler: z.literal('webhook-custom'), config: webhookCustomConfig }),
  z.strictObject({ ...common, handler: z.literal('log'), config: logConfig }),
  z.strictObject({ ...common, handler: z.literal('lambda'), config: lambdaConfig }),
]);
/** What passes when the handler is unknown: names the other fields that are wrong, too. */
export const handlerlessSchema = z.looseObject(common);
export type HookInput = z.output<typeof hookSchema>;
