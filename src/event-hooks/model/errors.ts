import { KongTsError } from '../../base/errors.ts';

/** Field path (`config.url`) and what is wrong there, in Kong's words. */
export interface Violation {
  path: string;
  text: string;
}

/** The body that Kong answers with for an entity that does not match its schema (measured on Kong 3.9.3). */
export interface SchemaViolation {
  message: string;
  name: 'schema violation';
  code: 2;
  fields: Record<string, unknown>;
}

/** An id that is taken, in Kong's shape. */
export class HookExistsError extends KongTsError {
  readonly id: string;
  constructor(id: string) {
    super('HOOK_INVALID', `primary key violation on key '{id="${id}"}'`);
    this.id = id;
  }
  toKong(): { message: string; name: string; code: 3; fields: { id: string } } {
    return { message: this.message, name: 'primary key violation', code: 3, fields: { id: this.id } };
  }
}

/** A hook that does not match its schema. `violations` is sorted by path. */
export class HookInvalidError extends KongTsError {
  readonly violations: readonly Violation[];

  constructor(violations: Violation[]) {
    const sorted = [...violations].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
    const list = sorted.map((v) => `${v.path}: ${v.text}`).join('; ');
    const count = sorted.length === 1 ? 'schema violation' : `${String(sorted.length)} schema violations`;
    super('HOOK_INVALID', `${count} (${list})`);
    this.violations = sorted;
  }

  /** The error in the Admin API's shape. */
  toKong(): SchemaViolation {
    const fields: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
    for (const { path, text } of this.violations) {
      let at = fields;
      const steps = path.split('.');
      const last = steps.pop() ?? path;
      for (const step of steps) {
        const below = at[step];
        at = (
          typeof below === 'object' && below !== null ? below : (at[step] = Object.create(null))
        ) as Record<string, unknown>;
      }
      at[last] = text;
    }
    return { message: this.message, name: 'schema violation', code: 2, fields };
  }
}
