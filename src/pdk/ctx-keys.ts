/**
 * Names that Kong 3.9.3 itself uses in nginx's context of a request (read in its source). A plugin that overwrites one
 * breaks the request, and may make Kong raise in the log phase: `KONG_PHASE` decides which functions may be called at
 * all.
 */
const owned: ReadonlySet<string> = new Set([
  'balancer_address',
  'balancer_data',
  'buffered_body',
  'buffered_headers',
  'buffered_proxying',
  'buffered_status',
  'cached_request_headers',
  'delay_response',
  'delayed_response',
  'delayed_response_callback',
  'authenticated_consumer',
  'authenticated_credential',
  'authenticated_groups',
  'CLIENT_VERIFY_OVERRIDE',
  'dst_ip',
  'dst_port',
  'has_timing',
  'host',
  'host_no_port',
  'host_port',
  'host_with_port',
  'plugin',
  'plugin_id',
  'plugins',
  'proxy_cache',
  'ran_go_plugin',
  'ran_wasm',
  'raw_req_host',
  'req_body',
  'req_category',
  'req_headers',
  'req_host',
  'req_method',
  'req_scheme',
  'req_trace_ctx',
  'req_uri',
  'request_id',
  'request_uri',
  'response_body',
  'route',
  'route_match_cached',
  'router_matches',
  'scheme',
  'serialize_values',
  'service',
  'sni',
  'src_ip',
  'src_port',
  'TRACING_CONTEXT',
  'uri_args',
  'wasm_attached',
  'workspace',
  'zipkin',
]);

/**
 * Whether Kong itself uses a name: every name that begins with `KONG_` or an underscore, and those of the list above.
 */
export function isOwnedByKong(key: string): boolean {
  return key.startsWith('KONG_') || key.startsWith('_') || owned.has(key);
}

/**
 * Names of values that Kong keeps for itself and cannot send: functions, tables that hold themselves, keys that are
 * numbers. A call for one raises in Kong, or makes Kong call the function.
 */
const unsendable: ReadonlySet<string> = new Set([
  'balancer_data',
  'cached_request_headers',
  'delayed_response',
  'delayed_response_callback',
  'KONG_BODY_BUFFER',
  'KONG_LOG',
  'KONG_NAMESPACES',
  'KONG_SPANS',
  'plugin',
  'plugins',
  'proxy_cache',
  'req_trace_ctx',
  'route_match_cached',
  'router_matches',
  'TRACING_CONTEXT',
  'wasm_attached',
  'zipkin',
]);

/** Whether Kong can send the value of a name. */
export function isSendable(key: string): boolean {
  return !unsendable.has(key) && !key.startsWith('__');
}

/** Names under which Kong 3.9.3 keeps a text, a number or a boolean (read in its source). */
const plain: ReadonlySet<string> = new Set([
  'buffered_proxying',
  'buffered_status',
  'CLIENT_VERIFY_OVERRIDE',
  'delay_response',
  'dst_ip',
  'dst_port',
  'has_timing',
  'host',
  'host_no_port',
  'host_port',
  'host_with_port',
  'KONG_EXITED',
  'KONG_PHASE',
  'KONG_PROXIED',
  'KONG_UNEXPECTED',
  'plugin_id',
  'ran_go_plugin',
  'ran_wasm',
  'raw_req_host',
  'req_category',
  'req_host',
  'req_method',
  'req_scheme',
  'req_uri',
  'request_id',
  'request_uri',
  'scheme',
  'sni',
  'src_ip',
  'src_port',
  'workspace',
]);

/** Whether Kong itself keeps a text, a number or a boolean under a name, so that the answer can always be sent. */
export function isPlainInKong(key: string): boolean {
  return plain.has(key) || /^KONG_[A-Z_]+_(?:START|ENDED_AT|TIME|LATENCY|END_AT)$/.test(key);
}
