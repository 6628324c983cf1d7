import { z } from 'zod';
import { urlChecks } from './url-patterns.ts';

/** The fields that http-log-enterprise adds to http-log's configuration. All of them are off unless configured. */

const names = (description: string) => z.array(z.string()).optional().describe(description);

const pem = (description: string, secret = false) =>
  z
    .string()
    .optional()
    .meta({ description, len_min: 1, referenceable: true, ...(secret ? { encrypted: true } : {}) });

const statusPattern = z.string().meta({
  match_all: [
    {
      pattern: '^[1-5][0-9x][0-9x]%-?[1-5]?[0-9]?[0-9]?$',
      err: 'expected a status (404), a class (5xx) or a range (500-599)',
    },
  ],
});

const filter = z
  .object({
    statuses: z
      .array(statusPattern)
      .optional()
      .describe(
        'Only requests answered with one of these: a status (`404`), a class (`5xx`) or a range (`500-599`).',
      ),
    routes: names('Only requests of these routes, by name or id.'),
    services: names('Only requests of these services, by name or id.'),
    consumers: names('Only requests of these consumers, by username, custom id or id.'),
    exclude_routes: names('No requests of these routes, by name or id.'),
    exclude_services: names('No requests of these services, by name or id.'),
    exclude_consumers: names('No requests of these consumers, by username, custom id or id.'),
    sample_rate: z.number().min(0).max(1).default(1).describe('The share of requests that is logged.'),
  })
  .optional()
  .describe('Which requests are logged.');

const redaction = z
  .object({
    mode: z
      .enum(['deny', 'allow'])
      .default('deny')
      .describe('`deny` redacts what is listed, `allow` redacts what is not listed.'),
    defaults: z
      .boolean()
      .default(true)
      .describe('Adds the usual secrets (apikey, token, password, cookies, ...) to the deny list.'),
    headers: names('Names of request and response headers.'),
    query_args: names('Names of query arguments; also cleaned in request.uri, request.url and upstream_uri.'),
    json_paths: names('Dotted paths into the record, such as `consumer.custom_id` or `tries.*.ip`.'),
    replacement: z.string().default('REDACTED').describe('What stands in the place of a redacted value.'),
  })
  .optional()
  .describe('Removes secrets from the records before they are stored or sent.');

const spool = z.object({
  enabled: z
    .boolean()
    .default(true)
    .describe('Writes records to disk before they are sent, when the server has a data directory.'),
  fsync: z
    .enum(['never', 'interval', 'always'])
    .default('interval')
    .describe('When written records are forced to the disk: `interval` is once per second.'),
  overflow: z
    .enum(['drop_oldest', 'spool'])
    .default('spool')
    .describe('What happens when `queue.max_entries` is reached: drop the oldest, or keep them on disk.'),
  max_bytes: z
    .number()
    .multipleOf(1)
    .min(65_536)
    .default(1_073_741_824)
    .describe('How many bytes are kept on disk for this configuration; then the oldest go.'),
  max_age: z
    .number()
    .min(60)
    .max(315_360_000)
    .default(604_800)
    .describe(
      'How many seconds an undelivered record is kept on disk, also when its plugin was deleted in Kong.',
    ),
  keep_undelivered: z
    .boolean()
    .default(true)
    .describe('Keeps trying after `queue.max_retry_time`, as long as the records are on disk.'),
});

export const enterpriseFields = {
  failover_endpoints: z
    .array(z.string().meta({ len_min: 1, referenceable: true, encrypted: true, ...urlChecks }))
    .optional()
    .describe('Endpoints that are tried in order when `http_endpoint` fails.'),
  ssl_verify: z
    .boolean()
    .default(false)
    .describe('Whether the certificate of an https endpoint is verified. Off as in http-log; turn it on.'),
  ca_certificate: pem(
    'PEM certificates that are trusted when verifying, instead of the well-known authorities.',
  ),
  client_certificate: pem('PEM certificate that is presented to the endpoint.'),
  client_key: pem('PEM private key of `client_certificate`.', true),
  compression: z.enum(['none', 'gzip']).default('none').describe('Content encoding of the requests.'),
  connections: z
    .int()
    .min(1)
    .max(128)
    .default(8)
    .describe('How many batches may be on their way at the same time. 1 sends one after the other.'),
  filter,
  redaction,
  spool: spool.prefault({}),
  shutdown_grace: z
    .number()
    .min(0)
    .max(3600)
    .default(5)
    .describe('How many seconds a stopping instance goes on sending what is queued.'),
  report_interval: z
    .number()
    .min(1)
    .max(86_400)
    .default(60)
    .describe('Seconds between two log lines about dropped records or a failing endpoint.'),
};
