import type { PlainObject } from '../../schema/index.ts';
import {
  autoTimestamp,
  foreign,
  host,
  nonzeroTimeout,
  path,
  port,
  protocol,
  tags,
  utf8Name,
  uuid,
} from '../typedefs.ts';
import type { EntityDefinition } from './kind.ts';

const nullUnless = (protocols: string[], field: string): { conditional: PlainObject } => ({
  conditional: {
    if_field: 'protocol',
    if_match: { not_one_of: protocols },
    then_field: field,
    then_match: { eq: null },
  },
});

export const services: EntityDefinition = {
  name: 'services',
  endpointKey: 'name',
  fields: [
    { id: uuid },
    { created_at: autoTimestamp },
    { updated_at: autoTimestamp },
    { name: utf8Name },
    { retries: { type: 'integer', default: 5, between: [0, 32767] } },
    { protocol: { ...protocol, required: true, default: 'http' } },
    { host: { ...host, required: true } },
    { port: { ...port, required: true, default: 80 } },
    { path },
    { connect_timeout: nonzeroTimeout },
    { write_timeout: nonzeroTimeout },
    { read_timeout: nonzeroTimeout },
    { tags },
    { client_certificate: foreign('certificates') },
    { tls_verify: { type: 'boolean' } },
    { tls_verify_depth: { type: 'integer', default: null, between: [0, 64] } },
    { ca_certificates: { type: 'array', elements: { type: 'string', uuid: true } } },
    { enabled: { type: 'boolean', required: true, default: true } },
  ],
  entity_checks: [
    {
      conditional: {
        if_field: 'protocol',
        if_match: { one_of: ['tcp', 'tls', 'udp', 'grpc', 'grpcs'] },
        then_field: 'path',
        then_match: { eq: null },
      },
    },
    nullUnless(['https', 'tls'], 'client_certificate'),
    nullUnless(['https', 'tls'], 'tls_verify'),
    nullUnless(['https', 'tls'], 'tls_verify_depth'),
    nullUnless(['https', 'tls'], 'ca_certificates'),
  ],
  shorthand_fields: [{ url: { type: 'string', func: expandUrl } }],
};

/** The parts of a service's `url`, read as loosely as Kong reads it: `x` is a path. */
function expandUrl(value: unknown): PlainObject {
  let rest = (typeof value === 'string' ? value : '').replace(/#.*$/s, '');
  const scheme = /^([A-Za-z][\w+.-]*):/.exec(rest)?.[1];
  if (scheme !== undefined) rest = rest.slice(scheme.length + 1);
  const authority = /^\/\/([^/?;]*)/.exec(rest)?.[1];
  if (authority !== undefined) rest = rest.slice(authority.length + 2);
  const pathname = rest.replace(/\?.*$/s, '').replace(/;.*$/s, '');
  const withoutUser = authority?.replace(/^.*@/s, '');
  const portText = withoutUser === undefined ? undefined : /:([^:\]]*)$/.exec(withoutUser)?.[1];
  const hostText = withoutUser?.replace(/:[^:\]]*$/, '');
  const port = portText === undefined || portText === '' ? undefined : Number(portText);
  const named = port === undefined || Number.isNaN(port) ? portText : port;
  const protocol = scheme ?? (port === 443 ? 'https' : 'http');
  return {
    protocol,
    host: hostText === undefined || hostText === '' ? null : hostText,
    port: named === undefined || named === '' ? (protocol === 'https' ? 443 : 80) : named,
    path: pathname === '' ? null : pathname,
  };
}
