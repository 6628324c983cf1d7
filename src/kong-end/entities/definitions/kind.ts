import type { SchemaDefinition } from '../../schema/index.ts';

/** An entity of Kong: its schema and how it is addressed, kept unique and shown. */
export interface EntityDefinition extends SchemaDefinition {
  readonly name: string;
  /** The unique field that an entity can be addressed by instead of its id. */
  readonly endpointKey?: string;
  /** Fields that are unique together. */
  readonly cacheKey?: readonly string[];
  /** The collection's path in the Admin API, if it differs from the name. */
  readonly adminName?: string;
  /** Its path below a parent, if that differs. */
  readonly adminNestedName?: string;
  /** No endpoints are generated. */
  readonly noAdminApi?: boolean;
  /** The same in all workspaces. */
  readonly global?: boolean;
}
