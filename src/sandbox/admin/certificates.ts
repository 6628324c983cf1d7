import { isUuid } from '../../base/uuid.ts';
import { entityErrors, foreignId } from '../../kong-end/index.ts';
import type { Entity, PlainObject } from '../../kong-end/index.ts';
import { shown } from './answers.ts';
import type { EntityManners } from './entities.ts';
import type { Context } from './types.ts';

/** Certificates carry the names of their snis, and are found by them too. */
export const certificateManners: EntityManners = {
  elsewhere: ['snis'],
  show: (context, entity) => ({ ...shown(entity), snis: namesOf(context, entity.id) }),
  insert(context, input) {
    const names = nameList(context, input['snis'], undefined);
    return context.state.store.change(() => {
      const certificate = context.state.dao.insert('certificates', input, context.workspace);
      setNames(context, certificate.id, names);
      return certificate;
    });
  },
  update(context, entity, input) {
    const names = nameList(context, input['snis'], entity.id);
    return context.state.store.change(() => {
      const certificate = context.state.dao.update('certificates', entity, input, context.workspace);
      setNames(context, certificate.id, names);
      return certificate;
    });
  },
  upsert(context, key, input) {
    const id = isUuid(key) ? key : undefined;
    // Without snis in the body, a PUT leaves none.
    const names = nameList(context, input['snis'] ?? null, id);
    return context.state.store.change(() => {
      const certificate =
        id === undefined
          ? context.state.dao.insert('certificates', input, context.workspace)
          : context.state.dao.upsert('certificates', id, input, context.workspace);
      setNames(context, certificate.id, names);
      return certificate;
    });
  },
};

/** The id of the certificate that a path names by id or by one of its snis. */
export function certificateId(context: Context, key: string): string | undefined {
  if (isUuid(key)) return key;
  const sni = context.state.store.table('snis').byUnique('name', context.workspace, key);
  return sni === undefined ? undefined : foreignId(sni, 'certificate');
}

function snisOf(context: Context, certificate: string): Entity[] {
  const table = context.state.store.table('snis');
  return table.idsByParent('certificate', certificate).flatMap((id) => table.get(id) ?? []);
}

function namesOf(context: Context, certificate: string): string[] {
  return snisOf(context, certificate)
    .map((sni) => String(sni['name']))
    .sort();
}

/** The names that a certificate shall have; undefined: as they are. Refuses names of other certificates. */
function nameList(context: Context, value: unknown, certificate: string | undefined): string[] | undefined {
  if (value === null) return [];
  const list = typeof value === 'string' ? [value] : value;
  if (!Array.isArray(list)) return undefined;
  const names = list.filter((name): name is string => typeof name === 'string').sort();
  names.forEach((name, index) => {
    if (names[index + 1] === name) throw entityErrors.schemaViolation({ snis: `${name} is duplicated` });
    const taken = context.state.store.table('snis').byUnique('name', context.workspace, name);
    const owner = taken === undefined ? undefined : foreignId(taken, 'certificate');
    if (owner !== undefined && owner !== certificate) {
      throw entityErrors.schemaViolation({
        snis: `${name} already associated with existing certificate '${owner}'`,
      });
    }
  });
  return names;
}

function setNames(context: Context, certificate: string, names: string[] | undefined): void {
  if (names === undefined) return;
  const { dao } = context.state;
  const current = snisOf(context, certificate);
  for (const sni of current) if (!names.includes(String(sni['name']))) dao.delete('snis', sni);
  const had = new Set(current.map((sni) => sni['name']));
  for (const name of names) {
    const fields: PlainObject = { name, certificate: { id: certificate } };
    if (!had.has(name)) dao.insert('snis', fields, context.workspace);
  }
}
