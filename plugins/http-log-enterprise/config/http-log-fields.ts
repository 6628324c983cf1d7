import { z } from 'zod';

/**
 * The configuration fields of Kong's own http-log with its defaults, ranges and error texts, as
 * `GET /schemas/plugins/http-log` shows them on Kong 3.9.3.
 *
 * Kong checks three things in Lua functions that cannot travel in a plugin server's dump. The endpoint's parts are
 * checked by patterns with Kong's texts instead; header names, user info beside an Authorization header and the Lua
 * sources are checked when an instance starts (config/checks.ts).
 */

const deprecated = (message: string, oldDefault: number) => ({
  deprecation: { message, removal_in_version: '4.0', old_default: oldDefault },
});

/** A URL with Kong's texts for a missing host or scheme. */
export const urlChecks = {
  match_all: [
    { pattern: '//[^/?#]', err: 'missing host in url' },
    { pattern: '^%a[%w+.-]*:', err: 'missing scheme in url' },
  ],
};

/** Kong puts an empty text in the place of a reference that it cannot resolve (Kong 3.9, warning in its log). */
export const emptyReference =
  'is empty; if it is a reference ({vault://...}), Kong could not resolve it: check that the vault and the secret exist';

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
    ],
  });

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
  max_bytes: z
    .int()
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
  http_endpoint: z
    .string()
    .min(1, emptyReference)
    .meta({
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
  retry_count: z
    .int()
    .optional()
    .meta({
      description: 'Number of times to retry when sending data to the upstream server.',
      ...deprecated(
        'http-log: config.retry_count no longer works, please use config.queue.max_retry_time instead',
        10,
      ),
    }),
  queue_size: z
    .int()
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
    .record(headerName, z.string().min(1, emptyReference).meta({ referenceable: true }))
    .optional()
    .meta({
      description:
        'An optional table of headers included in the HTTP message to the upstream server. Values are indexed by header name, and each header name accepts a single string.',
    }),
  queue: queue.prefault({}),
  custom_fields_by_lua: z
    .record(z.string().min(1), z.string().min(1))
    .optional()
    .describe('Lua code as a key-value map'),
};
