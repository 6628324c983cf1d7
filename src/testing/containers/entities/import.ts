import { KongTsError } from '../../../base/errors.ts';
import type { KongAdmin } from '../../../kong-admin/index.ts';
import {
  Problems,
  collectEntities,
  getPath,
  isObject,
  parseDocument,
  pathText,
  readRoot,
  workspaceIdFor,
} from '../../../kong-end/index.ts';
import type { DeclaredEntity, Entity, EntityKind, PlainObject } from '../../../kong-end/index.ts';
import { collectionOf, ExistingEntities } from './existing.ts';
import { kinds } from './kinds.ts';
import type { Membership } from './memberships.ts';
import { takeMemberships } from './memberships.ts';

/**
 * Brings a declarative configuration into a Kong with a database over its Admin API: it replaces entities that are
 * there already (the same id, name, key or scope), makes the others, and removes none. New entities get the ids that
 * Kong gives to declared entities. `kong config db_import` cannot do it: it fails in a Kong 3.9.3 with any external
 * plugin.
 * @throws KongTsError DECLARATIVE_INVALID before anything is written, for what cannot be read and references to what is
 * neither there nor in Kong; ADMIN_REFUSED with the entity and Kong's answer, and nothing is written after it;
 * ADMIN_UNREACHABLE
 */
export async function importEntities(admin: KongAdmin, text: string): Promise<void> {
  const { data } = parseDocument(text, 'declarativeConfig');
  const problems = new Problems('declarativeConfig');
  const meta = readRoot(data, kinds, problems);
  const memberships = takeMemberships(data);
  const declared = collectEntities(data, kinds, meta, workspaceIdFor(meta.workspace), problems);
  if (problems.found) throw problems.toError();
  const within = meta.workspace === 'default' ? admin : admin.in(meta.workspace);
  const plan = await planOf(declared, data, new ExistingEntities(within), problems);
  if (problems.found) throw problems.toError();
  for (const step of plan) await write(within, step);
  for (const membership of memberships) await join(within, membership);
}

/** One entity on its way: the id under which Kong has it or will have it. */
interface Step {
  readonly kind: EntityKind;
  readonly entity: Entity;
  readonly there: boolean;
  readonly label: string;
}

/** Finds out what each entity is in Kong, parents before what points to them. */
async function planOf(
  declared: readonly DeclaredEntity[],
  data: PlainObject,
  existing: ExistingEntities,
  problems: Problems,
): Promise<Step[]> {
  /** Ids as they were made up from the file, and those that Kong knows the entity by. */
  const ids = new Map<string, string>();
  const steps: Step[] = [];
  for (const kind of kinds.kinds.values()) {
    for (const one of declared.filter((each) => each.kind === kind)) {
      const fields = await withReferences(one, ids, existing, problems);
      const ownId = getPath(data, one.path.join('.') + '.id') !== undefined;
      const found = ownId ? await existing.withId(kind, fields) : await existing.like(kind, fields);
      const entity: Entity = { ...fields, id: found?.id ?? fields.id };
      ids.set(fields.id, entity.id);
      steps.push({ kind, entity, there: found !== undefined, label: labelOf(one) });
      if (found === undefined) await existing.add(kind, entity);
    }
  }
  return steps;
}

/** The entity with ids where it points to others by a name, a key, or an id that was made up. */
async function withReferences(
  { kind, fields, path }: DeclaredEntity,
  ids: ReadonlyMap<string, string>,
  existing: ExistingEntities,
  problems: Problems,
): Promise<Entity> {
  const resolved: PlainObject = { ...fields };
  for (const { field, reference } of kind.foreign) {
    const value = fields[field];
    const target = kinds.kind(reference);
    const wanted = isObject(value)
      ? (value['id'] ?? target.unique.map((one) => value[one.field]).find((key) => key !== undefined))
      : value;
    if (typeof wanted !== 'string') continue;
    const id = ids.get(wanted) ?? (await existing.named(target, wanted))?.id;
    if (id === undefined)
      problems.add(path, { [field]: `there is no '${wanted}' among ${reference}, neither here nor in Kong` });
    resolved[field] = { id: id ?? wanted };
  }
  return resolved as Entity;
}

/** What Kong does not put back by itself where an entity is changed and not replaced. */
const absent: Readonly<Record<string, PlainObject>> = {
  // Replaced, a certificate would lose the names that are not given with it.
  certificates: { cert_alt: null, key_alt: null, tags: null },
  // Kong changes a target where others are replaced, and makes none under a given path.
  targets: { weight: 100, tags: null },
};

async function write(admin: KongAdmin, { kind, entity, there, label }: Step): Promise<void> {
  const collection = collectionOf(kind, entity);
  const { id, ...fields } = entity;
  const rest = absent[kind.name];
  const answer =
    rest !== undefined && there
      ? await admin.request('PATCH', `${collection}/${id}`, { ...rest, ...fields })
      : kind.name === 'targets'
        ? await admin.request('POST', collection, entity)
        : await admin.request('PUT', `${collection}/${id}`, fields);
  if (answer.status >= 400) throw refused(label, answer);
}

async function join(admin: KongAdmin, { consumer, group, path }: Membership): Promise<void> {
  const answer = await admin.request('POST', `/consumers/${encodeURIComponent(consumer)}/consumer_groups`, {
    group,
  });
  // A conflict is a consumer that is in the group already.
  if (answer.status >= 400 && answer.status !== 409)
    throw refused(`consumer '${consumer}' in the group '${group}' (${pathText(path)})`, answer);
}

function refused(label: string, { status, body }: { status: number; body: unknown }): KongTsError {
  return new KongTsError(
    'ADMIN_REFUSED',
    `Kong refused the ${label} with ${String(status)}: ${JSON.stringify(body)}`,
  );
}

/** Kinds whose key is a secret. */
const secretKeys = new Set(['keyauth_credentials', 'ca_certificates', 'certificates']);

/** `route 'greet' (services[0].routes[1])`. */
function labelOf({ kind, fields, path }: DeclaredEntity): string {
  const { endpointKey } = kind.definition;
  const name = kind.name === 'plugins' ? fields['name'] : fields[endpointKey ?? ''];
  const shown = typeof name === 'string' && !secretKeys.has(kind.name) ? ` '${name}'` : '';
  return `${kind.name.replace(/s$/, '')}${shown} (${pathText(path)})`;
}
