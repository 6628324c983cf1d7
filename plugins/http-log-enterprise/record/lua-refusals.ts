const notRecorded =
  'The record does not hold it; set it in an earlier phase with kong.log.set_serialize_value.';

const over = 'The request is over.';

/** Functions that Kong has and a plugin server cannot have in the log phase, below their group. */
const groups: readonly (readonly [hint: string, group: string, names: string])[] = [
  [notRecorded, 'kong.client', 'get_forwarded_port get_port get_consumer_group get_consumer_groups'],
  [
    notRecorded,
    'kong.request',
    'get_body get_raw_body get_http_version get_uri_captures get_forwarded_prefix',
  ],
  [notRecorded, 'kong.response', 'get_raw_body'],
  [notRecorded, 'kong.service.response', 'get_body get_raw_body'],
  [notRecorded, 'kong.node', 'get_id get_hostname get_memory_stats'],
  [notRecorded, 'kong.cluster', 'get_id'],
  [notRecorded, 'kong.plugin', 'get_id'],
  [notRecorded, 'kong.ip', 'is_trusted'],
  [notRecorded, 'kong.nginx', 'get_statistics'],
  [notRecorded, 'ngx', 'get_raw_phase'],
  [notRecorded, 'ngx.req', 'get_body_data get_body_file get_post_args read_body raw_header http_version'],
  [notRecorded, 'ngx.worker', 'count id pid pids'],
  [
    over,
    'kong.client',
    'authenticate authenticate_consumer_group_by_consumer_id set_authenticated_consumer_group set_authenticated_consumer_groups',
  ],
  [
    over,
    'kong.client.tls',
    'disable_session_reuse get_full_client_certificate_chain request_client_certificate set_client_verify',
  ],
  [
    over,
    'kong.response',
    'add_header clear_header error exit set_header set_headers set_raw_body set_status',
  ],
  [
    over,
    'kong.service',
    'set_retries set_target set_target_retry_callback set_timeouts set_tls_cert_key set_tls_verify set_tls_verify_depth set_tls_verify_store set_upstream',
  ],
  [
    over,
    'kong.service.request',
    'add_header clear_header clear_query_arg enable_buffering set_body set_header set_headers set_method set_path set_query set_raw_body set_raw_query set_scheme',
  ],
  [over, 'ngx', 'eof exit flush print redirect say send_headers'],
  [over, 'ngx.location', 'capture capture_multi'],
  [
    over,
    'ngx.req',
    'append_body clear_header discard_body finish_body init_body set_body_data set_body_file set_header set_method set_uri set_uri_args socket',
  ],
  [over, 'ngx.socket', 'connect stream tcp udp'],
  [over, 'ngx.thread', 'kill spawn wait'],
  ['A log record waits for nobody.', 'ngx', 'sleep'],
  ['Secrets do not belong into records.', 'kong.vault', 'get parse_reference try update'],
  ['kong.client.get_ip() is client_ip.', 'kong.client', 'get_forwarded_ip'],
  ['kong.client.get_consumer() is the consumer of the record.', 'kong.client', 'load_consumer'],
  ['Use kong.response.get_header.', 'kong.service.response', 'get_header'],
  ['Use kong.response.get_headers.', 'kong.service.response', 'get_headers'],
  [
    'Return the value, and give its dotted name as the key in custom_fields_by_lua.',
    'kong.log',
    'set_serialize_value',
  ],
  ['Use kong.log.notice.', 'kong.log', 'inspect'],
  ['Use kong.log.warn.', 'kong.log', 'deprecation'],
  ['There is no PCRE here: use string.match.', 'ngx.re', 'match'],
  ['There is no PCRE here: use string.find.', 'ngx.re', 'find'],
  ['There is no PCRE here: use string.gmatch.', 'ngx.re', 'gmatch'],
  ['There is no PCRE here: use string.gsub.', 'ngx.re', 'sub gsub'],
];

export type Groups = { [name: string]: unknown };

/** The refused functions, in their groups: calling one is an error that says what helps. */
export function refuse(): Groups {
  const all: Groups = {};
  for (const [hint, path, names] of groups) {
    let group = all;
    for (const part of path.split('.')) group = (group[part] ??= {}) as Groups;
    for (const name of names.split(' ')) {
      group[name] = (): never => {
        throw new Error(`${path}.${name} cannot be had in the log phase of an external plugin. ${hint}`);
      };
    }
  }
  return all;
}
