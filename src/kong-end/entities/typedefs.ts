import type { FieldSchema } from '../schema/index.ts';
import * as validators from './validators.ts';

/** The kinds of fields that Kong's entities are made of. */

export const uuid: FieldSchema = { type: 'string', uuid: true, auto: true, len_min: 1 };
export const autoTimestamp: FieldSchema = { type: 'integer', timestamp: true, auto: true };
/** Seconds with milliseconds. */
export const autoTimestampMs: FieldSchema = { type: 'number', timestamp: true, auto: true };

export const protocols = ['grpc', 'grpcs', 'http', 'https', 'tcp', 'tls', 'tls_passthrough', 'udp'] as const;
export const httpProtocols = ['grpc', 'grpcs', 'http', 'https'] as const;

export const protocol: FieldSchema = { type: 'string', one_of: protocols, len_min: 1 };
export const utf8Name: FieldSchema = {
  type: 'string',
  unique: true,
  len_min: 1,
  custom_validator: validators.utf8Name,
};
export const host: FieldSchema = { type: 'string', len_min: 1, custom_validator: validators.host };
export const port: FieldSchema = { type: 'integer', between: [0, 65535] };
export const path: FieldSchema = {
  type: 'string',
  len_min: 1,
  starts_with: '/',
  match_none: [{ pattern: '//', err: 'must not have empty segments' }],
  custom_validator: validators.path,
};
export const tags: FieldSchema = {
  type: 'set',
  elements: { type: 'string', required: true, len_min: 1, custom_validator: validators.tag },
};
export const headerName: FieldSchema = { type: 'string', custom_validator: validators.headerName };
export const wildcardHost: FieldSchema = { type: 'string', custom_validator: validators.wildcardHost };
/** Milliseconds, not zero. */
export const nonzeroTimeout: FieldSchema = { type: 'integer', between: [1, 2147483646], default: 60000 };

export const foreign = (reference: string, more: Partial<FieldSchema> = {}): FieldSchema => ({
  type: 'foreign',
  reference,
  ...more,
});

/** The `protocols` of a plugin that does not name any. */
export const pluginProtocols: FieldSchema = {
  type: 'set',
  required: true,
  default: httpProtocols,
  elements: { ...protocol, required: true },
};
