/** What a field is for, where the API's document does not say it. */
export const help: Readonly<Record<string, string>> = {
  source: 'What emits the event: Kong itself (crud, dao:crud, balancer) or a plugin. It need not exist yet.',
  event: 'Empty: every event of the source.',
  on_change: 'Fires only when the payload differs from the last one of the same identity.',
  snooze: 'Seconds of silence after a firing; what happens meanwhile is not sent later.',
  concurrency: 'Deliveries on their way at a time. Empty: as the dispatcher says.',
  rate: 'Deliveries per second. Empty: no limit.',
  retry_schedule: 'Seconds between attempts, with commas: 5, 300, 1800. Empty: as the dispatcher says.',
  'config.url': 'Where the request goes, http or https.',
  'config.method': 'In capitals, such as POST.',
  'config.headers': 'Sent with every request.',
  'config.headers_format': 'The values of the headers are templates.',
  'config.secret': 'Signs every request. whsec_ and base64, or any text.',
  'config.ssl_verify': 'The certificate of the target is checked.',
  'config.signature': 'What x-kong-signature is made with. By default sha256.',
  'config.payload':
    'Sent as a JSON object, or as a form where the content type says so. {{ entity.username }} inserts a value.',
  'config.payload_format': 'The values of the payload are templates.',
  'config.body':
    'Sent in place of the payload. {{ entity.username }} inserts a value, {* … *} inserts it raw.',
  'config.body_format': 'The body is a template.',
  'config.functions': 'Each runs in its order: return function (data, event, source, pid) … return true end',
};

/** What is changed elsewhere: by the rotation of the secret. */
export const managed = new Set(['previous_secrets', 'previous_secrets_until']);

/** The fields that are filled in most often come first; those that are not named here come last. */
const order = [
  'url',
  'method',
  'functions',
  'body',
  'body_format',
  'payload',
  'payload_format',
  'headers',
  'headers_format',
];

export const placeOf = (name: string): number => {
  const at = order.indexOf(name);
  return at === -1 ? order.length : at;
};

/** `config.ssl_verify` as a reader says it. */
export function label(path: string): string {
  const words = path.replace(/^config\./, '').replaceAll('_', ' ');
  const shown: Readonly<Record<string, string>> = {
    url: 'URL',
    'ssl verify': 'Check the certificate',
    functions: 'Lua functions',
  };
  return shown[words] ?? `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}
