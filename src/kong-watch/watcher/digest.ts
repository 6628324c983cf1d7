import { hash } from 'node:crypto';
import type { Entity } from './changes.ts';
import { references } from './changes.ts';

/**
 * Fields that differ from poll to poll although nobody has changed anything. `ttl` shows the time that is left (of
 * Kong's keys and tokens), so only its presence counts.
 */
const runningDown = 'ttl';
/** A DB-less node stamps every entity anew whenever it is given a configuration (Kong 3.9). */
const stamps = new Set(['created_at', 'updated_at']);

/** Lists that Kong computes from other entities (3.9.3): a new SNI does not change its certificate. */
const computed: Readonly<Record<string, string>> = { certificates: 'snis' };
/** Values that Kong hashes with the id of the consumer (3.9.3): another id gives another hash of the same password. */
const salted: Readonly<Record<string, string>> = { basicauth_credentials: 'password' };
/** Stands for a salted field of which nothing can be said. */
const anySalted = '*';
/** Fields that name an entity among those of its kind, beside what it refers to. */
const naming = ['name', 'instance_name', 'username', 'custom_id', 'key', 'client_id', 'group', 'target'];

/**
 * Digest of an entity's content, whatever the order of its keys. A null counts as no field at all: it is not part of a
 * payload either, and a new version of Kong brings many.
 *
 * A DB-less node stamps entities anew and gives new ids to those that have none in the configuration, so there the
 * digest leaves both out, and says after a dot what names the entity, and after another one what is salted.
 *
 * @param newSalt what the entity belongs to has another id: its salted field cannot be compared
 */
export function digestOf(schema: string, entity: Entity, dbless = false, newSalt = false): string {
  const without = Object.hasOwn(computed, schema) ? computed[schema] : undefined;
  const salt = dbless && Object.hasOwn(salted, schema) ? salted[schema] : undefined;
  let text = '';
  for (const key of Object.keys(entity).sort()) {
    const value = entity[key];
    if (value === null || value === undefined || key === without) continue;
    if (dbless && (stamps.has(key) || key === 'id' || key === salt)) continue;
    text += `${JSON.stringify(key)}:${key === runningDown ? 'true' : content(value)},`;
  }
  const digest = hash('md5', text, 'base64');
  if (!dbless) return digest;
  const named = `${digest}.${hash('md5', nameOf(entity) ?? text, 'base64')}`;
  if (salt === undefined) return named;
  return `${named}.${newSalt ? anySalted : hash('md5', content(entity[salt]), 'base64')}`;
}

/** The part of a DB-less digest that says what names the entity. */
export const nameInDigest = (digest: string): string => digest.split('.')[1] ?? digest;

/** Whether nothing has changed that can be told. */
export function sameContent(before: string | undefined, now: string): boolean {
  if (before === undefined || !now.endsWith(`.${anySalted}`)) return before === now;
  return before.slice(0, before.lastIndexOf('.')) === now.slice(0, now.lastIndexOf('.'));
}

/** The name of an entity, independent of its id. Null if only all its fields together name it. */
function nameOf(entity: Entity): string | null {
  const names = naming.flatMap((field) =>
    typeof entity[field] === 'string' ? [`${field}:${JSON.stringify(entity[field])}`] : [],
  );
  if (names.length === 0) return null;
  return [...names, ...references(entity)].join(' ');
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
