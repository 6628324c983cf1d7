import type { Exchange } from '../exchange.ts';

const services = { services: [{ name: 'here', url: 'http://127.0.0.1:1/' }] };
const upstreams = { ...services, upstreams: [{ name: 'x', targets: [{ target: '127.0.0.1:1' }] }] };
const form = 'application/x-www-form-urlencoded';
const call = (
  id: string,
  each: 1 | 2 | 3,
  method: string,
  path: string,
  kong: Exchange['kong'],
  body?: string,
  type?: string,
): Exchange => ({
  id: `admin-${id}`,
  class: each,
  probe: false,
  config: () => upstreams,
  admin: { method, path, ...(body === undefined ? {} : { body }), ...(type === undefined ? {} : { type }) },
  kong,
});

/** The Admin API of a Kong without a database. */
export const adminExchanges: readonly Exchange[] = [
  call('delete-missing', 3, 'DELETE', '/services/nope', { status: 204 }),
  call('patch-missing', 3, 'PATCH', '/services/nope', { status: 404, body: /"code":6/ }, '{"retries":1}'),
  call('post-invalid', 3, 'POST', '/services', { status: 400, body: /"code":2/ }, '{"bogus":1}'),
  call('unhealthy-without-checks', 1, 'PUT', '/upstreams/x/targets/127.0.0.1:1/unhealthy', {
    status: 400,
    body: /no healthchecker found/,
  }),
  call('offset', 3, 'GET', '/services?offset=xyz', { status: 200, body: /"data":\[\]/ }),
  call('by-name', 3, 'DELETE', '/services/here', {
    status: 405,
    body: /"cannot remove 'services' entities by 'name' when not using a database"/,
  }),
  call(
    'by-id',
    3,
    'PUT',
    '/services/d0491c50-850a-4e88-a87b-387785a72cf9',
    { status: 405, body: /"cannot create or update 'services' entities when not using a database"/ },
    '{"host":"h"}',
  ),
  call('balancer-health', 3, 'GET', '/upstreams/x/health?balancer_health=1', {
    status: 200,
    // One object for the whole balancer, in whatever order.
    body: /^(?=.*"next":null)(?=.*"health":"HEALTHCHECKS_OFF")(?=.*"balancer_health":"HEALTHY")(?=.*"data":\{.*"details":\{.*"hosts":\[\{)(?=.*"nodeWeight":100)(?=.*"healthy":true)/s,
  }),
  call('plugin-schema', 3, 'GET', '/schemas/plugins/plain-pb', {
    status: 200,
    // Fields are a list of objects with one name each; records are required.
    body: /^(?=.*"entity_checks":\[\])(?=.*"fields":\[.*\{"config":\{)(?=.*"fields":\[\{"n":\{[^}]*\}\},\{"note":\{[^}]*\}\},\{"list":\{)(?=.*"required":true)/s,
  }),
  call('tags', 1, 'GET', '/tags', { status: 500 }),
  call('tags-filter', 1, 'GET', '/services?tags=a', { status: 500 }),
  call('timers', 3, 'GET', '/timers', { status: 200 }),
  call('log-level', 3, 'GET', '/debug/node/log-level', { status: 200 }),
  call('ca-certificates', 3, 'GET', '/ca_certificates', { status: 200 }),
  call('vaults', 3, 'GET', '/vaults', { status: 200 }),
  call('keys', 3, 'GET', '/keys', { status: 200 }),
  call('key-sets', 3, 'GET', '/key-sets', { status: 200 }),
  call('clustering', 3, 'GET', '/clustering/data-planes', { status: 400 }),
  call('config-empty', 3, 'POST', '/config', { status: 500 }, '""'),
  call('trace', 3, 'TRACE', '/services', { status: 405, body: /<html>/ }),
  call(
    'form-number',
    1,
    'POST',
    '/schemas/services/validate',
    { status: 400, body: /expected an integer/ },
    'host=a&port=80',
    form,
  ),
  call(
    'form-tags',
    1,
    'POST',
    '/schemas/services/validate',
    { status: 400, body: /expected a set/ },
    'host=a&tags=x',
    form,
  ),
  call('target-created-at', 3, 'GET', '/upstreams/x/targets', { status: 200, body: /"created_at":\d+\.\d+/ }),
  {
    ...call('credential-ttl', 3, 'GET', '/key-auths', { status: 200, body: /^(?!.*"ttl")/s }),
    config: () => ({ ...services, consumers: [{ username: 'a', keyauth_credentials: [{ key: 'k' }] }] }),
  },
  call(
    'pcre-words',
    3,
    'POST',
    '/schemas/routes/validate',
    { status: 400, body: /pcre2_compile\(\) failed/ },
    '{"paths":["~/("]}',
  ),
  call('config-bad-yaml', 3, 'POST', '/config', { status: 400 }, '{"config":"a: [b"}'),
];
