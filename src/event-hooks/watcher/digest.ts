import { hash } from 'node:crypto';
import type { Entity } from './changes.ts';

/**
 * Fields that differ from look to look while nobody has changed anything: `ttl` is what is left of it (Kong's keys and
 * tokens), only whether there is one counts.
 */
const runningDown = 'ttl';
/** A DB-less node stamps every entity anew whenever it is given a configuration (Kong 3.9). */
const stamps = new Set(['created_at', 'updated_at']);

/**
 * Digest of an entity's content, whatever the order of its keys. A null counts as no field at all: it is not part of a
 * payload either, and a new version of Kong brings many.
 * @param dbless leaves out when the entity was created and changed, which a DB-less node does not know
 */
export function digestOf(entity: Entity, dbless = false): string {
  let text = '';
  for (const key of Object.keys(entity).sort()) {
    const value = entity[key];
    if (value === null || value === undefined || (dbless && stamps.has(key))) continue;
    text += `${JSON.stringify(key)}:${key === runningDown ? 'true' : content(value)},`;
  }
  return hash('md5', text, 'base64');
}

/** The same text for the same value, whatever the order of keys, without nulls in objects. */
function content(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  let text = '';
  if (Array.isArray(value)) {
    for (const item of value) text += `${content(item)},`;
    // Kong writes an empty list as an object now and then: Lua has one kind of table.
    return text === '' ? '{}' : `[${text}]`;
  }
  const fields = value as Entity;
  for (const key of Object.keys(fields).sort()) {
    const member = fields[key];
    if (member !== null && member !== undefined) text += `${JSON.stringify(key)}:${content(member)},`;
  }
  return `{${text}}`;
}
