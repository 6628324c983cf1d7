const entity = [
  'connect_timeout',
  'created_at',
  'custom_id',
  'enabled',
  'host',
  'https_redirect_status_code',
  'id',
  'name',
  'path',
  'path_handling',
  'port',
  'preserve_host',
  'protocol',
  'read_timeout',
  'regex_priority',
  'request_buffering',
  'response_buffering',
  'retries',
  'strip_path',
  'updated_at',
  'username',
  'write_timeout',
  'ws_id',
];

/**
 * Fields of the record of kong.log.serialize that are not objects (Kong 3.9.3), and those whose value a client may have
 * sent.
 */
const plain = new RegExp(
  `^(?:${[
    'client_ip|source|started_at|upstream_status|upstream_uri|workspace|workspace_name',
    'request\\.(?:id|method|size|uri|url)',
    'response\\.(?:size|status)',
    '(?:request|response)\\.headers\\.[^.]+',
    'request\\.querystring\\.[^.]+',
    '(?:request|session)\\.tls\\.[^.]+',
    'latencies\\.[^.]+',
    'session\\.(?:received|sent|server_port|status)',
    'upstream\\.(?:received|sent)',
    'authenticated_entity\\.(?:id|consumer_id)',
    `(?:consumer|route|service)\\.(?:${entity.join('|')})`,
    'route\\.service\\.id',
  ].join('|')})\\.`,
);

/**
 * Whether a key of kong.log.set_serialize_value leads through a value that is not an object. Kong raises at such a key
 * when the request is logged, and then no external plugin logs it (read in Kong 3.9.3).
 */
export function leadsThroughPlainValue(key: string): boolean {
  return plain.test(key);
}
