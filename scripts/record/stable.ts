/** Members whose values are another's in each run: compared by their type. */
const varying = new Set([
  'id',
  'ws_id',
  'workspace',
  'created_at',
  'updated_at',
  'started_at',
  'http_allocated_gc',
  'pid',
  'pids',
  'node_id',
  'hostname',
  'date',
  'x-kong-request-id',
  'x-kong-proxy-latency',
  'x-kong-upstream-latency',
  'x-kong-response-latency',
  'x-kong-admin-latency',
  'balancer_start',
  'balancer_start_ns',
  'balancer_latency',
  'balancer_latency_ns',
  'latencies',
  'x-credential-identifier',
  'body_filepath',
  'total_requests',
  'connections_active',
  'connections_reading',
  'connections_writing',
  'connections_waiting',
  'connections_accepted',
  'connections_handled',
  'request_id',
  'port',
  'offset',
  'allocated_slabs',
  'capacity',
  // Lengths follow the digits of ports and latencies.
  'bytes',
  'size',
  'content-length',
]);

/** Whether a member's value differs from run to run. */
export const varies = (name: string): boolean => varying.has(name.toLowerCase());

const replacements: readonly (readonly [RegExp, string])[] = [
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '{uuid}'],
  [/\b[0-9a-f]{32}\b/g, '{request id}'],
  [/[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} GMT/g, '{date}'],
  [/(X-Kong-(?:Upstream|Proxy|Response)-Latency|Content-Length): \d+/g, '$1: {number}'],
  [/:\d{4,5}\b/g, ':{port}'],
  [/host\.docker\.internal/g, '127.0.0.1'],
  [/offset=[^&"]+/g, 'offset={offset}'],
];

/** A value as text, without ids, times and ports. Numbers that are ports of this machine or times are their kind. */
export function stableText(value: unknown): string {
  if (typeof value === 'number' && value > 1_700_000_000) return '{time}';
  if (typeof value === 'number' && value >= 1024 && value < 65_536 && Number.isInteger(value))
    return '{port}';
  let text = value === undefined ? '{nothing}' : JSON.stringify(value);
  if (/^"\d{4,5}"$/.test(text)) return '{port}';
  for (const [pattern, by] of replacements) text = text.replace(pattern, by);
  return text;
}
