/** What `redaction.defaults` adds to the deny list; names are compared without regard to case. */
export const secretHeaders: readonly string[] = [
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'apikey',
  'api-key',
  'x-api-key',
  'x-auth-token',
  'x-access-token',
  'x-csrf-token',
  'x-amz-security-token',
];

export const secretQueryArgs: readonly string[] = [
  'apikey',
  'api_key',
  'api-key',
  'key',
  'token',
  'access_token',
  'refresh_token',
  'id_token',
  'auth',
  'jwt',
  'password',
  'passwd',
  'secret',
  'client_secret',
  'code',
  'signature',
  'sig',
  'x-amz-signature',
  'x-amz-credential',
  'x-amz-security-token',
];

/** Headers whose values are URLs: their query strings are cleaned like that of the request. */
export const urlHeaders: readonly string[] = [
  'referer',
  'location',
  'content-location',
  'x-forwarded-path',
  'x-original-uri',
  'x-original-url',
  'x-rewrite-url',
];
