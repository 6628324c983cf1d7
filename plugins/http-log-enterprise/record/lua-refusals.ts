const notRecorded =
  'The record does not hold it; set it in an earlier phase with kong.log.set_serialize_value.';

/** Functions that Kong has and a plugin server cannot have in the log phase, and what helps instead. */
const refused: Readonly<Record<string, string>> = {
  'kong.client.get_forwarded_ip': 'kong.client.get_ip() is client_ip.',
  'kong.client.get_forwarded_port': notRecorded,
  'kong.client.get_port': notRecorded,
  'kong.client.get_consumer_group': notRecorded,
  'kong.client.get_consumer_groups': notRecorded,
  'kong.client.load_consumer': 'kong.client.get_consumer() is the consumer of the record.',
  'kong.client.authenticate': 'The request is over.',
  'kong.request.get_body': notRecorded,
  'kong.request.get_raw_body': notRecorded,
  'kong.request.get_http_version': notRecorded,
  'kong.request.get_uri_captures': notRecorded,
  'kong.request.get_forwarded_prefix': notRecorded,
  'kong.response.get_raw_body': notRecorded,
  'kong.service.response.get_header': 'Use kong.response.get_header.',
  'kong.service.response.get_headers': 'Use kong.response.get_headers.',
  'kong.service.response.get_body': notRecorded,
  'kong.service.response.get_raw_body': notRecorded,
  'kong.log.set_serialize_value':
    'Return the value, and give its dotted name as the key in custom_fields_by_lua.',
  'kong.log.inspect': 'Use kong.log.notice.',
  'kong.node.get_id': notRecorded,
  'kong.node.get_hostname': notRecorded,
  'kong.node.get_memory_stats': notRecorded,
  'kong.cluster.get_id': notRecorded,
  'kong.plugin.get_id': notRecorded,
  'kong.ip.is_trusted': notRecorded,
  'kong.vault.get': 'Secrets do not belong into records.',
  'ngx.re.match': 'There is no PCRE here: use string.match.',
  'ngx.re.find': 'There is no PCRE here: use string.find.',
  'ngx.re.gmatch': 'There is no PCRE here: use string.gmatch.',
  'ngx.re.sub': 'There is no PCRE here: use string.gsub.',
  'ngx.re.gsub': 'There is no PCRE here: use string.gsub.',
  'ngx.req.get_body_data': notRecorded,
  'ngx.req.get_post_args': notRecorded,
  'ngx.req.read_body': notRecorded,
  'ngx.req.raw_header': notRecorded,
  'ngx.req.http_version': notRecorded,
  'ngx.sleep': 'A log record waits for nobody.',
  'ngx.exit': 'The request is over.',
  'ngx.say': 'The request is over.',
  'ngx.print': 'The request is over.',
  'ngx.location.capture': 'The request is over.',
};

export type Groups = { [name: string]: unknown };

/** The refused functions, in their groups: calling one is an error that says what helps. */
export function refuse(): Groups {
  const groups: Groups = {};
  for (const [name, hint] of Object.entries(refused)) {
    const path = name.split('.');
    const last = path.pop() ?? name;
    let group = groups;
    for (const part of path) group = (group[part] ??= {}) as Groups;
    group[last] = (): never => {
      throw new Error(`${name} cannot be had in the log phase of an external plugin. ${hint}`);
    };
  }
  return groups;
}
