import type { FieldSchema, NamedField } from '../../schema/index.ts';
import { autoTimestamp, autoTimestampMs, foreign, headerName, path, tags, uuid } from '../typedefs.ts';
import * as validators from '../validators.ts';
import type { EntityDefinition } from './kind.ts';

const hashOn: FieldSchema = {
  type: 'string',
  default: 'none',
  one_of: ['none', 'consumer', 'ip', 'header', 'cookie', 'path', 'query_arg', 'uri_capture'],
};
const statuses = (...codes: number[]): FieldSchema => ({
  type: 'array',
  elements: { type: 'integer', between: [100, 999] },
  default: codes,
});
const count: FieldSchema = { type: 'integer', between: [0, 255], default: 0 };
const seconds = (value: number): FieldSchema => ({ type: 'number', between: [0, 65535], default: value });
const checkType: FieldSchema = {
  type: 'string',
  one_of: ['tcp', 'http', 'https', 'grpc', 'grpcs'],
  default: 'http',
};
const record = (...fields: NamedField[]): FieldSchema => ({ type: 'record', required: true, fields });
const simpleParameter: FieldSchema = { type: 'string', len_min: 1 };

const active = record(
  { type: checkType },
  { timeout: seconds(1) },
  { concurrency: { type: 'integer', between: [1, 2147483648], default: 10 } },
  { http_path: { ...path, default: '/' } },
  { https_sni: { type: 'string', custom_validator: validators.sni } },
  { https_verify_certificate: { type: 'boolean', default: true, required: true } },
  { headers: { type: 'map', keys: headerName, values: { type: 'array', elements: { type: 'string' } } } },
  { healthy: record({ interval: seconds(0) }, { http_statuses: statuses(200, 302) }, { successes: count }) },
  {
    unhealthy: record(
      { interval: seconds(0) },
      { http_statuses: statuses(429, 404, 500, 501, 502, 503, 504, 505) },
      { tcp_failures: count },
      { timeouts: count },
      { http_failures: count },
    ),
  },
);

const passive = record(
  { type: checkType },
  {
    healthy: record(
      {
        http_statuses: statuses(
          ...[200, 201, 202, 203, 204, 205, 206, 207, 208, 226],
          ...[300, 301, 302, 303, 304, 305, 306, 307, 308],
        ),
      },
      { successes: count },
    ),
  },
  {
    unhealthy: record(
      { http_statuses: statuses(429, 500, 503) },
      { tcp_failures: count },
      { timeouts: count },
      { http_failures: count },
    ),
  },
);

const when = (
  ifField: string,
  value: string,
  thenField: string,
  thenMatch: object,
): { conditional: object } => ({
  conditional: {
    if_field: ifField,
    if_match: { match: `^${value}$` },
    then_field: thenField,
    then_match: thenMatch,
  },
});
const fallbacks = (...values: string[]): object => ({ one_of: values });

export const upstreams: EntityDefinition = {
  name: 'upstreams',
  endpointKey: 'name',
  fields: [
    { id: uuid },
    { created_at: autoTimestamp },
    { name: { type: 'string', required: true, unique: true, custom_validator: validators.upstreamName } },
    { updated_at: autoTimestamp },
    {
      algorithm: {
        type: 'string',
        default: 'round-robin',
        one_of: ['consistent-hashing', 'least-connections', 'round-robin', 'latency'],
      },
    },
    { hash_on: hashOn },
    { hash_fallback: hashOn },
    { hash_on_header: headerName },
    { hash_fallback_header: headerName },
    { hash_on_cookie: { type: 'string', custom_validator: validators.cookieName } },
    { hash_on_cookie_path: { ...path, default: '/' } },
    { hash_on_query_arg: simpleParameter },
    { hash_fallback_query_arg: simpleParameter },
    { hash_on_uri_capture: simpleParameter },
    { hash_fallback_uri_capture: simpleParameter },
    { slots: { type: 'integer', default: 10000, between: [10, 65536] } },
    {
      healthchecks: record(
        { active },
        { passive },
        { threshold: { type: 'number', default: 0, between: [0, 100] } },
      ),
    },
    { tags },
    { host_header: { type: 'string', custom_validator: validators.hostWithOptionalPort } },
    { client_certificate: foreign('certificates') },
    { use_srv_name: { type: 'boolean', default: false } },
  ],
  entity_checks: [
    when('hash_on', 'header', 'hash_on_header', { required: true }),
    when('hash_fallback', 'header', 'hash_fallback_header', { required: true }),
    when('hash_on', 'cookie', 'hash_on_cookie', { required: true }),
    when('hash_fallback', 'cookie', 'hash_on_cookie', { required: true }),
    when('hash_on', 'none', 'hash_fallback', fallbacks('none')),
    when('hash_on', 'cookie', 'hash_fallback', fallbacks('none')),
    when(
      'hash_on',
      'consumer',
      'hash_fallback',
      fallbacks('none', 'ip', 'header', 'cookie', 'path', 'query_arg', 'uri_capture'),
    ),
    when(
      'hash_on',
      'ip',
      'hash_fallback',
      fallbacks('none', 'consumer', 'header', 'cookie', 'path', 'query_arg', 'uri_capture'),
    ),
    when(
      'hash_on',
      'path',
      'hash_fallback',
      fallbacks('none', 'consumer', 'header', 'cookie', 'query_arg', 'ip', 'uri_capture'),
    ),
    { distinct: ['hash_on_header', 'hash_fallback_header'] },
    when('hash_on', 'query_arg', 'hash_on_query_arg', { required: true }),
    when('hash_fallback', 'query_arg', 'hash_fallback_query_arg', { required: true }),
    { distinct: ['hash_on_query_arg', 'hash_fallback_query_arg'] },
    when('hash_on', 'uri_capture', 'hash_on_uri_capture', { required: true }),
    when('hash_fallback', 'uri_capture', 'hash_fallback_uri_capture', { required: true }),
    { distinct: ['hash_on_uri_capture', 'hash_fallback_uri_capture'] },
  ],
  shorthand_fields: [
    {
      algorithm: {
        type: 'string',
        func: (value) =>
          value === 'least-connections' || value === 'latency'
            ? { algorithm: value, hash_on: null }
            : { algorithm: value },
      },
    },
    {
      hash_on: {
        type: 'string',
        func: (value) => {
          if (value === null) return { hash_on: 'none' };
          return { hash_on: value, algorithm: value === 'none' ? 'round-robin' : 'consistent-hashing' };
        },
      },
    },
  ],
};

export const targets: EntityDefinition = {
  name: 'targets',
  endpointKey: 'target',
  cacheKey: ['upstream', 'target'],
  fields: [
    { id: uuid },
    { created_at: autoTimestampMs },
    { updated_at: autoTimestampMs },
    { upstream: foreign('upstreams', { required: true, on_delete: 'cascade' }) },
    { target: { type: 'string', required: true, custom_validator: validators.target } },
    { weight: { type: 'integer', default: 100, between: [0, 65535] } },
    { tags },
  ],
};
