import { autoTimestamp, foreign, tags, uuid } from '../typedefs.ts';
import type { EntityDefinition } from './kind.ts';

export const consumers: EntityDefinition = {
  name: 'consumers',
  endpointKey: 'username',
  fields: [
    { id: uuid },
    { created_at: autoTimestamp },
    { updated_at: autoTimestamp },
    { username: { type: 'string', unique: true } },
    { custom_id: { type: 'string', unique: true } },
    { tags },
  ],
  entity_checks: [{ at_least_one_of: ['custom_id', 'username'] }],
};

export const keyauthCredentials: EntityDefinition = {
  name: 'keyauth_credentials',
  endpointKey: 'key',
  adminName: 'key-auths',
  adminNestedName: 'key-auth',
  ttl: true,
  fields: [
    { id: uuid },
    { created_at: autoTimestamp },
    { consumer: foreign('consumers', { required: true, on_delete: 'cascade' }) },
    { key: { type: 'string', unique: true, auto: true } },
    { tags },
  ],
};
