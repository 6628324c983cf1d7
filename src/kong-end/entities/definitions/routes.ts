import type { FieldSchema, SchemaDefinition } from '../../schema/index.ts';
import {
  autoTimestamp,
  foreign,
  headerName,
  port,
  protocol,
  tags,
  utf8Name,
  uuid,
  wildcardHost,
} from '../typedefs.ts';
import { routerExpressionError } from '../router-expression.ts';
import * as validators from '../validators.ts';
import type { EntityDefinition } from './kind.ts';

const addresses: FieldSchema = {
  type: 'set',
  elements: {
    type: 'record',
    fields: [{ ip: { type: 'string', custom_validator: validators.ipOrCidr } }, { port }],
    entity_checks: [{ at_least_one_of: ['ip', 'port'] }],
  },
};
const methods: FieldSchema = { type: 'set', elements: { type: 'string', match: '^%u+$' } };
const hosts: FieldSchema = {
  type: 'array',
  elements: {
    type: 'string',
    match_all: [{ pattern: '^[^*]*%*?[^*]*$', err: 'invalid wildcard: must have at most one wildcard' }],
    match_any: {
      patterns: ['^%*%.', '%.%*$', '^[^*]*$'],
      err: 'invalid wildcard: must be placed at leftmost or rightmost label',
    },
    custom_validator: validators.hostWithWildcards,
  },
};
const paths: FieldSchema = {
  type: 'array',
  elements: {
    type: 'string',
    match_any: {
      patterns: ['^/', '^~/'],
      err: 'should start with: / (fixed path) or ~/ (regex path)',
    },
    match_none: [{ pattern: '//', err: 'must not have empty segments' }],
    custom_validator: validators.routerPath,
  },
};
const headers: FieldSchema = {
  type: 'map',
  keys: {
    ...headerName,
    match_none: [
      {
        pattern: '^[Hh][Oo][Ss][Tt]$',
        err: "cannot contain 'host' header, which must be specified in the 'hosts' attribute",
      },
    ],
  },
  values: { type: 'array', elements: { type: 'string' } },
};

const forbidden = (field: FieldSchema, name: string, protocols: string): Record<string, FieldSchema> => ({
  [name]: { ...field, eq: null, err: `cannot set '${name}' when 'protocols' is ${protocols}` },
});

const secureOrPlain = (secure: string, plain: string, fields: string[]): Record<string, unknown> => ({
  conditional_at_least_one_of: {
    if_field: 'protocols',
    if_match: { contains: secure },
    then_at_least_one_of: [...fields, 'snis'],
    then_err: `must set one of %s when 'protocols' is '${secure}'`,
    else_match: { contains: plain },
    else_then_at_least_one_of: fields,
    else_then_err: `must set one of %s when 'protocols' is '${plain}'`,
  },
});

const httpNames = "'http' or 'https'";
const http: SchemaDefinition = {
  name: 'http',
  fields: [forbidden(addresses, 'sources', httpNames), forbidden(addresses, 'destinations', httpNames)],
  entity_checks: [secureOrPlain('https', 'http', ['methods', 'hosts', 'headers', 'paths'])],
};

const streamNames = "'tcp', 'tls', 'tls_passthrough' or 'udp'";
const stream: SchemaDefinition = {
  name: 'tcp',
  fields: [
    forbidden(methods, 'methods', streamNames),
    forbidden(hosts, 'hosts', streamNames),
    forbidden(paths, 'paths', streamNames),
    forbidden(headers, 'headers', streamNames),
  ],
  entity_checks: [
    {
      conditional_at_least_one_of: {
        if_field: 'protocols',
        if_match: { elements: { type: 'string', one_of: ['tcp', 'tls', 'udp'] } },
        then_at_least_one_of: ['sources', 'destinations', 'snis'],
        then_err: "must set one of %s when 'protocols' is 'tcp', 'tls' or 'udp'",
      },
    },
    {
      conditional_at_least_one_of: {
        if_field: 'protocols',
        if_match: { elements: { type: 'string', one_of: ['tls_passthrough'] } },
        then_at_least_one_of: ['snis'],
        then_err: "must set snis when 'protocols' is 'tls_passthrough'",
      },
    },
  ],
};

const grpcNames = "'grpc' or 'grpcs'";
const grpc: SchemaDefinition = {
  name: 'grpc',
  fields: [
    {
      strip_path: {
        type: 'boolean',
        required: true,
        default: false,
        ne: true,
        err: `cannot set 'strip_path' when 'protocols' is ${grpcNames}`,
      },
    },
    forbidden(methods, 'methods', grpcNames),
    forbidden(addresses, 'sources', grpcNames),
    forbidden(addresses, 'destinations', grpcNames),
  ],
  entity_checks: [secureOrPlain('grpcs', 'grpc', ['hosts', 'headers', 'paths'])],
};

export const routes: EntityDefinition = {
  name: 'routes',
  endpointKey: 'name',
  subschema_key: 'protocols',
  subschemas: {
    http,
    https: http,
    tcp: stream,
    tls: stream,
    udp: stream,
    tls_passthrough: stream,
    grpc,
    grpcs: grpc,
  },
  fields: [
    { id: uuid },
    { created_at: autoTimestamp },
    { updated_at: autoTimestamp },
    { name: utf8Name },
    {
      protocols: {
        type: 'set',
        len_min: 1,
        required: true,
        elements: protocol,
        mutually_exclusive_subsets: [
          ['http', 'https'],
          ['tcp', 'tls', 'udp'],
          ['tls_passthrough'],
          ['grpc', 'grpcs'],
        ],
        default: ['http', 'https'],
      },
    },
    {
      https_redirect_status_code: {
        type: 'integer',
        one_of: [426, 301, 302, 307, 308],
        default: 426,
        required: true,
      },
    },
    { strip_path: { type: 'boolean', required: true, default: true } },
    { preserve_host: { type: 'boolean', required: true, default: false } },
    { request_buffering: { type: 'boolean', required: true, default: true } },
    { response_buffering: { type: 'boolean', required: true, default: true } },
    { tags },
    { service: foreign('services') },
    { snis: { type: 'set', elements: wildcardHost } },
    { sources: addresses },
    { destinations: addresses },
    { methods },
    { hosts },
    { paths },
    { headers },
    { regex_priority: { type: 'integer', default: 0 } },
    { path_handling: { type: 'string', default: 'v0', one_of: ['v0', 'v1'] } },
  ],
  entity_checks: [
    {
      conditional: {
        if_field: 'protocols',
        if_match: {
          elements: { type: 'string', not_one_of: ['grpcs', 'https', 'tls', 'tls_passthrough'] },
        },
        then_field: 'snis',
        then_match: { len_eq: 0 },
        then_err: "'snis' can only be set when 'protocols' is 'grpcs', 'https', 'tls' or 'tls_passthrough'",
      },
    },
    {
      custom_entity_check: {
        field_sources: ['protocols', 'snis', 'methods', 'hosts', 'paths', 'headers'],
        run_with_missing_fields: true,
        fn: routerExpressionError,
      },
    },
  ],
};
