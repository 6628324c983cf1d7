import { KongTsError } from 'kong-ts';
import type { Config } from './schema.ts';
import { checkConfig } from './checks.ts';
import type { Endpoint } from './endpoint.ts';
import { parseEndpoint } from './endpoint.ts';

/** How a queue batches, bounds and retries; times in milliseconds. Kong's meaning of every field (queue library 3.9). */
export interface QueueSettings {
  readonly maxBatchSize: number;
  readonly maxCoalescingDelayMs: number;
  readonly maxEntries: number;
  /** Infinity without a limit. */
  readonly maxBytes: number;
  /** Negative: a batch that fails is never retried. */
  readonly maxRetryTimeMs: number;
  /** After `maxRetryTimeMs` a batch goes to the end of the queue instead of being dropped. Default: false. */
  readonly keepUndelivered?: boolean;
  readonly initialRetryDelayMs: number;
  readonly maxRetryDelayMs: number;
  /** A batch of so many bytes is not kept waiting for more records. Default: no limit. */
  readonly fullBatchBytes?: number;
  /** How many batches may be under way at a time. */
  readonly concurrency: number;
}

export interface TlsSettings {
  readonly verify: boolean;
  readonly ca: string | null;
  readonly certificate: string | null;
  readonly key: string | null;
}

/** How batches are sent. */
export interface SenderSettings {
  readonly endpoints: readonly Endpoint[];
  readonly method: 'POST' | 'PUT' | 'PATCH';
  readonly headers: Readonly<Record<string, string>>;
  /** True: a batch is a JSON array, even of one record. */
  readonly array: boolean;
  readonly timeoutMs: number;
  readonly keepaliveMs: number;
  readonly connections: number;
  /** Requests that may wait for their answers on one connection. */
  readonly pipelining: number;
  readonly compression: 'none' | 'gzip';
  readonly tls: TlsSettings;
}

export interface Settings {
  readonly queue: QueueSettings;
  readonly sender: SenderSettings;
  readonly customFields: readonly (readonly [path: string, source: string])[];
  readonly filter: Config['filter'];
  readonly redaction: Config['redaction'];
  readonly spool: Config['spool'];
  readonly shutdownGraceMs: number;
  readonly reportIntervalMs: number;
  /** Warnings to log once when the instance starts. */
  readonly warnings: readonly string[];
  /** Why this configuration can send nothing; null if it can send. If it cannot, there are no endpoints. */
  readonly refusal: KongTsError | null;
}

/** Legacy fields as Kong 3.9 reads them: old defaults count as unset. */
function legacy(config: Config): { batch: number; delay: number; warnings: string[] } {
  const warnings: string[] = [];
  let { max_batch_size: batch, max_coalescing_delay: delay } = config.queue;
  if (config.retry_count !== undefined && config.retry_count !== 10) {
    warnings.push(
      'the retry_count parameter no longer works, please update your configuration to use initial_retry_delay and max_retry_time instead',
    );
  }
  if (config.queue_size !== undefined && config.queue_size !== 1) {
    batch = config.queue_size;
    warnings.push(
      'the queue_size parameter is deprecated, please update your configuration to use queue.max_batch_size instead',
    );
  }
  if (config.flush_timeout !== undefined && config.flush_timeout !== 2) {
    delay = config.flush_timeout;
    warnings.push(
      'the flush_timeout parameter is deprecated, please update your configuration to use queue.max_coalescing_delay instead',
    );
  }
  return { batch, delay, warnings };
}

/** Values in UTF-8, one character per byte, as the sender writes them. */
function requestHeaders(config: Config): Record<string, string> {
  const headers: Record<string, string> = { 'user-agent': 'kong-ts http-log-enterprise/0.1.0' };
  for (const [name, value] of Object.entries(config.headers ?? {}))
    headers[name.toLowerCase()] = Buffer.from(value, 'utf8').toString('latin1');
  headers['content-type'] = config.content_type;
  return headers;
}

/** The endpoints of a configuration, or why nothing can be sent with it. */
function compileEndpoints(config: Config): { endpoints: Endpoint[]; refusal: KongTsError | null } {
  try {
    checkConfig(config);
    const fallbacks = (config.failover_endpoints ?? []).map((url, i) =>
      parseEndpoint(url, `failover_endpoints.${i + 1}`),
    );
    return { endpoints: [parseEndpoint(config.http_endpoint), ...fallbacks], refusal: null };
  } catch (error) {
    if (error instanceof KongTsError) return { endpoints: [], refusal: error };
    throw error;
  }
}

/**
 * nginx cuts fractions of a millisecond off, and takes its own 60 seconds for 0, as http-log does. (Timeouts that it
 * does not take are refused.)
 */
const timeoutOf = ({ timeout }: Config): number => Math.trunc(timeout) || 60_000;

/** How many requests of one record each may be under way on a connection, and how many in all at `concurrency_limit: -1`. */
const recordsPerConnection = 16;
const mostRecords = 128;

/** One connection sends one batch after the other, for the order; batches are too large to wait behind each other. */
function pipeliningOf({ queue, connections }: Config, batch: number): number {
  if (queue.concurrency_limit === -1) return recordsPerConnection;
  return batch <= 1 && connections > 1 ? recordsPerConnection : 1;
}

function compileQueue(config: Config, batch: number, delay: number): QueueSettings {
  const unlimited = config.queue.concurrency_limit === -1;
  return {
    maxBatchSize: unlimited ? 1 : Math.max(1, batch),
    maxCoalescingDelayMs: Math.max(0, delay) * 1000,
    maxEntries: config.queue.max_entries,
    maxBytes: config.queue.max_bytes ?? Infinity,
    maxRetryTimeMs: config.queue.max_retry_time * 1000,
    initialRetryDelayMs: config.queue.initial_retry_delay * 1000,
    maxRetryDelayMs: config.queue.max_retry_delay * 1000,
    concurrency: unlimited ? mostRecords : config.connections * pipeliningOf(config, batch),
  };
}

/**
 * Compiles a configuration: it folds legacy fields in, takes endpoints apart, and turns seconds into milliseconds. If
 * the configuration can send nothing, `refusal` says why.
 */
export function compileSettings(config: Config): Settings {
  const { batch, delay, warnings } = legacy(config);
  const { endpoints, refusal } = compileEndpoints(config);
  if (!config.ssl_verify && endpoints.some(({ origin }) => origin.startsWith('https:'))) {
    warnings.push(
      'the certificate of the endpoint is not verified, as in http-log; set ssl_verify to true to verify it',
    );
  }
  return {
    queue: compileQueue(config, batch, delay),
    sender: {
      endpoints,
      method: config.method,
      headers: requestHeaders(config),
      array: batch !== 1,
      timeoutMs: timeoutOf(config),
      keepaliveMs: config.keepalive,
      connections: config.queue.concurrency_limit === -1 ? mostRecords : config.connections,
      pipelining: pipeliningOf(config, batch),
      compression: config.compression,
      tls: {
        verify: config.ssl_verify,
        ca: config.ca_certificate ?? null,
        certificate: config.client_certificate ?? null,
        key: config.client_key ?? null,
      },
    },
    customFields: Object.entries(config.custom_fields_by_lua ?? {}),
    filter: config.filter,
    redaction: config.redaction,
    spool: config.spool,
    shutdownGraceMs: config.shutdown_grace * 1000,
    reportIntervalMs: config.report_interval * 1000,
    warnings,
    refusal,
  };
}

/**
 * The same configuration, but it sends nothing: it filters, redacts and keeps records, and the mended configuration
 * sends them. It does not compute custom fields.
 */
export function withholding(settings: Settings, refusal: KongTsError): Settings {
  return {
    ...settings,
    queue: { ...settings.queue, concurrency: 0 },
    sender: { ...settings.sender, endpoints: [] },
    customFields: [],
    shutdownGraceMs: 0,
    refusal,
  };
}
