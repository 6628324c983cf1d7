import { compileSchema } from '../schema/index.ts';
import type { CompiledSchema, FieldSchema } from '../schema/index.ts';
import { certificates, snis } from './definitions/certificates.ts';
import { consumers, keyauthCredentials } from './definitions/consumers.ts';
import type { EntityDefinition } from './definitions/kind.ts';
import { keyAuthPlugin, pluginsDefinition } from './definitions/plugins.ts';
import { routes } from './definitions/routes.ts';
import { services } from './definitions/services.ts';
import { targets, upstreams } from './definitions/upstreams.ts';
import { workspaces } from './definitions/workspaces.ts';
import type { KnownPlugin } from './types.ts';

/** A field that points to another entity. */
export interface ForeignField {
  readonly field: string;
  readonly reference: string;
  /** What happens to the entity when the one it points to is removed. */
  readonly onDelete: 'cascade' | 'restrict';
}

export interface UniqueField {
  readonly field: string;
  /** Unique in all workspaces together, not in each. */
  readonly everywhere: boolean;
}

/** One kind of entity, compiled. */
export interface EntityKind {
  readonly name: string;
  readonly definition: EntityDefinition;
  readonly schema: CompiledSchema;
  readonly foreign: readonly ForeignField[];
  readonly unique: readonly UniqueField[];
  /** The kinds that point here, and how. */
  readonly children: readonly (ForeignField & { readonly kind: string })[];
}

/** All kinds of entities and plugins of one sandbox. */
export interface Registry {
  /** Parents before children. */
  readonly kinds: ReadonlyMap<string, EntityKind>;
  readonly plugins: ReadonlyMap<string, KnownPlugin>;
  kind(name: string): EntityKind;
}

/** Compiles Kong's entities together with the schemas of the given plugins; key-auth is always there. */
export function createRegistry(known: readonly KnownPlugin[] = []): Registry {
  const plugins = new Map([
    [keyAuthPlugin.name, keyAuthPlugin],
    ...known.map((plugin) => [plugin.name, plugin] as const),
  ]);
  const definitions: EntityDefinition[] = [
    workspaces,
    consumers,
    certificates,
    services,
    routes,
    snis,
    upstreams,
    targets,
    pluginsDefinition([...plugins.values()]),
    keyauthCredentials,
  ];
  return compileRegistry(definitions, plugins);
}

/** Compiles kinds of entities, parents before children. */
export function compileRegistry(
  definitions: readonly EntityDefinition[],
  plugins: ReadonlyMap<string, KnownPlugin> = new Map(),
): Registry {
  const foreign = new Map(definitions.map((definition) => [definition.name, foreignFields(definition)]));
  const kinds = new Map<string, EntityKind>();
  for (const definition of definitions) {
    const children = [...foreign].flatMap(([kind, fields]) =>
      fields.filter(({ reference }) => reference === definition.name).map((field) => ({ ...field, kind })),
    );
    kinds.set(definition.name, {
      name: definition.name,
      definition,
      schema: compileSchema(definition),
      foreign: foreign.get(definition.name) ?? [],
      unique: uniqueFields(definition),
      children,
    });
  }
  return {
    kinds,
    plugins,
    kind(name) {
      const kind = kinds.get(name);
      if (kind === undefined) throw new TypeError(`No entity of the kind '${name}'.`);
      return kind;
    },
  };
}

function eachNamed(definition: EntityDefinition): [string, FieldSchema][] {
  return definition.fields.flatMap((named) => Object.entries<FieldSchema>(named));
}

function foreignFields(definition: EntityDefinition): ForeignField[] {
  return eachNamed(definition).flatMap(([field, schema]): ForeignField[] =>
    schema.type === 'foreign' && schema.reference !== undefined
      ? [
          {
            field,
            reference: schema.reference,
            onDelete: schema.on_delete === 'cascade' ? 'cascade' : 'restrict',
          },
        ]
      : [],
  );
}

function uniqueFields(definition: EntityDefinition): UniqueField[] {
  return eachNamed(definition)
    .filter(([, schema]) => schema.unique === true)
    .map(([field, schema]) => ({
      field,
      everywhere: schema.unique_across_ws === true || definition.global === true,
    }));
}
