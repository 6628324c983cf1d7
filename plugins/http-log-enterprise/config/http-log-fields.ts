import { z } from 'zod';
import { urlChecks } from './url-patterns.ts';

/**
 * The configuration fields of Kong's own http-log with its defaults, ranges and error texts, as
 * `GET /schemas/plugins/http-log` shows them on Kong 3.9.3.
 *
 * Kong checks four things in Lua functions that cannot travel in a plugin server's dump. URLs and header names are
 * checked by patterns instead. Two checks are made when an instance starts (config/checks.ts): that the Lua compiles,
 * and that there is no Authorization header beside user info in the URL. Kong's `conditional` could say the latter, but
 * it takes a vault reference for a URL with user info.
 *
 * zod is never stricter than Kong's schema here: what zod refuses is refused before the plugin can keep the records.
 */

const deprecated = (message: string, oldDefault: number) => ({
  deprecation: { message, removal_in_version: '4.0', old_default: oldDefault },
});

/** A pattern that matches a word in any case. */
const anyCase = (word: string): string =>
  `^${word.replace(/[a-z]/gi, (letter) => `[${letter.toUpperCase()}${letter.toLowerCase()}]`).replaceAll('-', '%-')}$`;

/** Names that http-log takes and with which no request could be sent: they belong to the connection or to the body. */
const connectionHeaders = ['Content-Length', 'Transfer-Encoding', 'Expect', 'Upgrade', 'Keep-Alive'];

const headerName = z
  .string()
  .min(1)
  .meta({
    description: 'A string representing an HTTP header name.',
    match_none: [
      { pattern: '^[Hh][Oo][Ss][Tt]$', err: "cannot contain 'Host' header" },
      {
        pattern: '^[Cc][Oo][Nn][Tt][Ee][Nn][Tt]%-[Ll][Ee][nn][Gg][Tt][Hh]$',
        err: "cannot contain 'Content-Length' header",
      },
      {
        pattern: '^[Cc][Oo][Nn][Tt][Ee][Nn][Tt]%-[Tt][Yy][Pp][Ee]$',
        err: "cannot contain 'Content-Type' header",
      },
      ...connectionHeaders.map((name) => ({
        pattern: anyCase(name),
        err: `cannot contain '${name}' header`,
      })),
    ],
    match_all: [
      { pattern: '^[%w_-]+$', err: "bad header name, allowed characters are A-Z, a-z, 0-9, '_', and '-'" },
    ],
  });

/** An integer of any size, as Kong takes it; `z.int()` ends at 2^53. */
const integer = () => z.number().multipleOf(1);

const queue = z.object({
  max_batch_size: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(1)
    .describe('Maximum number of entries that can be processed at a time.'),
  max_coalescing_delay: z
    .number()
    .min(0)
    .max(3600)
    .default(1)
    .describe(
      'Maximum number of (fractional) seconds to elapse after the first entry was queued before the queue starts calling the handler.',
    ),
  max_entries: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(10_000)
    .describe('Maximum number of entries that can be waiting on the queue.'),
  max_bytes: integer()
    .optional()
    .describe('Maximum number of bytes that can be waiting on a queue, requires string content.'),
  max_retry_time: z
    .number()
    .default(60)
    .describe('Time in seconds before the queue gives up calling a failed handler for a batch.'),
  initial_retry_delay: z
    .number()
    .min(0.001)
    .max(1_000_000)
    .default(0.01)
    .describe('Time in seconds before the initial retry is made for a failing batch.'),
  max_retry_delay: z
    .number()
    .min(0.001)
    .max(1_000_000)
    .default(60)
    .describe('Maximum time in seconds between retries, caps exponential backoff.'),
  concurrency_limit: z
    .literal([-1, 1])
    .default(1)
    .describe('The number of of queue delivery timers. -1 indicates unlimited.'),
});

export const httpLogFields = {
  http_endpoint: z.string().meta({
    len_min: 1,
    description: 'A string representing a URL, such as https://example.com/path/to/resource?q=search.',
    encrypted: true,
    referenceable: true,
    ...urlChecks,
  }),
  method: z
    .enum(['POST', 'PUT', 'PATCH'])
    .default('POST')
    .describe(
      'An optional method used to send data to the HTTP server. Supported values are `POST` (default), `PUT`, and `PATCH`.',
    ),
  content_type: z
    .enum(['application/json', 'application/json; charset=utf-8'])
    .default('application/json')
    .describe('Indicates the type of data sent. The only available option is `application/json`.'),
  timeout: z
    .number()
    .default(10_000)
    .describe('An optional timeout in milliseconds when sending data to the upstream server.'),
  keepalive: z
    .number()
    .default(60_000)
    .describe(
      'An optional value in milliseconds that defines how long an idle connection will live before being closed.',
    ),
  retry_count: integer()
    .optional()
    .meta({
      description: 'Number of times to retry when sending data to the upstream server.',
      ...deprecated(
        'http-log: config.retry_count no longer works, please use config.queue.max_retry_time instead',
        10,
      ),
    }),
  queue_size: integer()
    .optional()
    .meta({
      description: 'Maximum number of log entries to be sent on each message to the upstream server.',
      ...deprecated(
        'http-log: config.queue_size is deprecated, please use config.queue.max_batch_size instead',
        1,
      ),
    }),
  flush_timeout: z
    .number()
    .optional()
    .meta({
      description:
        'Optional time in seconds. If `queue_size` > 1, this is the max idle time before sending a log with less than `queue_size` records.',
      ...deprecated(
        'http-log: config.flush_timeout is deprecated, please use config.queue.max_coalescing_delay instead',
        2,
      ),
    }),
  headers: z
    .record(headerName, z.string().meta({ len_min: 1, referenceable: true }))
    .optional()
    .meta({
      description:
        'An optional table of headers included in the HTTP message to the upstream server. Values are indexed by header name, and each header name accepts a single string.',
    }),
  queue: queue.prefault({}),
  custom_fields_by_lua: z
    .record(
      z.string().min(1),
      z
        .string()
        .min(1)
        .meta({
          match_none: [
            { pattern: '^\u001b', err: 'Error parsing function: attempt to load chunk with wrong mode' },
          ],
        }),
    )
    .optional()
    .describe('Lua code as a key-value map'),
};
