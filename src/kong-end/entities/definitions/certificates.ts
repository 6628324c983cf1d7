import { X509Certificate, createPrivateKey } from 'node:crypto';
import { autoTimestamp, foreign, tags, uuid, wildcardHost } from '../typedefs.ts';
import * as validators from '../validators.ts';
import type { EntityDefinition } from './kind.ts';

const pair =
  (certificate: string, key: string, error: string) =>
  (get: (field: string) => unknown): string | undefined => {
    const pem = get(certificate);
    const secret = get(key);
    if (typeof pem !== 'string' || typeof secret !== 'string') return undefined;
    return new X509Certificate(pem).checkPrivateKey(createPrivateKey(secret)) ? undefined : error;
  };

function differentTypes(get: (field: string) => unknown): string | undefined {
  const first = get('cert');
  const second = get('cert_alt');
  if (typeof first !== 'string' || typeof second !== 'string') return undefined;
  const [a, b] = [first, second].map((pem) => new X509Certificate(pem).publicKey.asymmetricKeyType);
  return a === b
    ? 'certificate and alternative certificate need to have different type (e.g. RSA and ECDSA), the provided certificates were both of the same type'
    : undefined;
}

const cert = { type: 'string', referenceable: true, custom_validator: validators.certificate };
const key = { type: 'string', referenceable: true, encrypted: true, custom_validator: validators.privateKey };

export const certificates: EntityDefinition = {
  name: 'certificates',
  fields: [
    { id: uuid },
    { created_at: autoTimestamp },
    { updated_at: autoTimestamp },
    { cert: { ...cert, required: true } },
    { key: { ...key, required: true } },
    { cert_alt: { ...cert, required: false } },
    { key_alt: { ...key, required: false } },
    { tags },
    { snis: { type: 'array', elements: wildcardHost, required: false, transient: true } },
  ],
  entity_checks: [
    { mutually_required: ['cert_alt', 'key_alt'] },
    {
      custom_entity_check: {
        field_sources: ['cert', 'key'],
        fn: pair('cert', 'key', 'certificate does not match key'),
      },
    },
    {
      custom_entity_check: {
        field_sources: ['cert_alt', 'key_alt'],
        fn: pair('cert_alt', 'key_alt', 'alternative certificate does not match key'),
      },
    },
    { custom_entity_check: { field_sources: ['cert', 'cert_alt'], fn: differentTypes } },
  ],
};

export const snis: EntityDefinition = {
  name: 'snis',
  endpointKey: 'name',
  fields: [
    { id: uuid },
    { name: { ...wildcardHost, required: true, unique: true, unique_across_ws: true } },
    { created_at: autoTimestamp },
    { updated_at: autoTimestamp },
    { tags },
    { certificate: foreign('certificates', { required: true }) },
  ],
};
