import { KongTsError, messageOf } from '../../base/errors.ts';
import { schemaRefusals } from '../../kong-end/schema/refusals.ts';
import type { Phase } from '../../pdk/names/index.ts';
import type { CompiledPlugin, KongField, KongSchema } from '../types.ts';
import { convertFields } from './convert.ts';
import { kongProtocols, refuseUnknownMeta } from './meta.ts';
import type { KongProtocol } from './meta.ts';
import { normalise } from './normalise.ts';
import { malformedPatterns } from './patterns.ts';
import { isZod, unwrap } from './zod-def.ts';
import type { ZodIssue, ZodNode } from './zod-def.ts';

/**
 * Compiles a plugin's zod schema: Kong's schema for the dump, and the check at StartInstance.
 *
 * @throws KongTsError PLUGIN_INVALID if `config` is not a zod object or `protocols` names none of Kong's,
 *   PLUGIN_SCHEMA_UNSUPPORTED for a type that Kong's schema language cannot express.
 */
export function compileConfig(
  name: string,
  config: unknown,
  protocols: unknown,
  phases: readonly Phase[] = [],
): { schema: KongSchema; parseConfig: CompiledPlugin['parseConfig'] } {
  if (config === undefined) {
    return {
      schema: kongSchema(name, [], undefined, checkedProtocols(name, protocols, phases)),
      parseConfig: (raw) => emptyConfig(name, raw),
    };
  }
  if (!isZod(config)) {
    throw new KongTsError('PLUGIN_INVALID', `Plugin "${name}": config is not a zod 4 schema.`, {
      fix: "Use config: z.object({ ... }) with `import { z } from 'kong-ts'` (zod 3 schemas do not fit).",
    });
  }
  const { node, meta } = unwrap(config);
  refuseUnknownMeta(meta, 'config');
  const shape = node._zod.def;
  if (shape.type !== 'object') {
    throw new KongTsError('PLUGIN_INVALID', `Plugin "${name}": config is z.${shape.type}().`, {
      fix: "A plugin's configuration is an object: z.object({ ... }).",
    });
  }
  const fields = convertFields(shape, 'config');
  return {
    schema: kongSchema(
      name,
      fields,
      meta.entity_checks,
      checkedProtocols(name, protocols ?? meta.protocols, phases),
    ),
    parseConfig: (raw) => parse(name, config, raw),
  };
}

function kongSchema(
  name: string,
  fields: KongField[],
  checks: unknown[] | undefined,
  protocols: readonly KongProtocol[] | null,
): KongSchema {
  const config = {
    type: 'record',
    required: true,
    fields,
    ...(checks === undefined ? {} : { entity_checks: checks }),
  };
  if (protocols === null) return checkedSchema(name, { name, fields: [{ config }] });
  const field = {
    type: 'set',
    required: true,
    default: protocols,
    elements: { type: 'string', one_of: protocols },
  };
  return checkedSchema(name, { name, fields: [{ protocols: field }, { config }] });
}

/**
 * The schema, if Kong takes it.
 * @throws KongTsError PLUGIN_SCHEMA_UNSUPPORTED naming each field that Kong would refuse
 */
export function checkedSchema(name: string, schema: KongSchema): KongSchema {
  const refusals = schemaRefusals(schema);
  const malformed = refusals.length === 0 ? malformedPatterns(schema) : [];
  if (malformed.length > 0) {
    throw new KongTsError('PLUGIN_SCHEMA_UNSUPPORTED', `Plugin "${name}": ${malformed.join('; ')}.`, {
      fix: 'Kong would answer 500 to configurations of the plugin: correct the pattern (% escapes, not \\).',
    });
  }
  if (refusals.length === 0) return schema;
  const text = refusals.map(({ path, reason }) => `${path}: ${reason}`).join('; ');
  throw new KongTsError('PLUGIN_SCHEMA_UNSUPPORTED', `Plugin "${name}": ${text};`, {
    fix: 'With such a schema the whole of Kong does not start: correct the default, or what .meta() or Schema says.',
  });
}

/** Phases that run for HTTP; certificate and log run for streams as well. */
const httpPhases: readonly Phase[] = ['rewrite', 'access', 'response'];

/** The protocols that a plugin's phases run for. Kong's default is the HTTP ones, for which preread never runs. */
function protocolsOf(phases: readonly Phase[]): readonly KongProtocol[] | null {
  if (!phases.includes('preread')) return null;
  if (phases.some((phase) => httpPhases.includes(phase))) return kongProtocols;
  return ['tcp', 'tls', 'tls_passthrough', 'udp'];
}

function checkedProtocols(
  name: string,
  protocols: unknown,
  phases: readonly Phase[],
): readonly KongProtocol[] | null {
  if (protocols === undefined) return protocolsOf(phases);
  const known: readonly unknown[] = kongProtocols;
  if (!Array.isArray(protocols) || protocols.length === 0 || !protocols.every((one) => known.includes(one))) {
    throw new KongTsError('PLUGIN_INVALID', `Plugin "${name}": protocols is ${JSON.stringify(protocols)}.`, {
      fix: `Name at least one of ${kongProtocols.join(', ')}.`,
    });
  }
  return protocols as KongProtocol[];
}

function emptyConfig(name: string, raw: unknown): Record<string, never> {
  const keys =
    typeof raw === 'object' && raw !== null ? Object.keys(raw).filter((key) => key !== '$refs') : [];
  if (keys.length > 0)
    throw invalidConfig(
      name,
      keys.map((key) => `config.${key}: unknown field`),
    );
  return {};
}

function parse(name: string, schema: ZodNode, raw: unknown): unknown {
  if (schema.safeParse === undefined) {
    throw new KongTsError('PLUGIN_INVALID', `Plugin "${name}": its zod schema has no safeParse.`, {
      fix: "Use `import { z } from 'kong-ts'`.",
    });
  }
  let result;
  try {
    result = schema.safeParse(normalise(raw ?? {}, schema));
  } catch (error) {
    throw new KongTsError(
      'CONFIG_INVALID',
      `Plugin "${name}": config could not be checked: ${messageOf(error)}.`,
      {
        cause: error,
        fix: 'Refinements and transforms in a configuration schema must be synchronous and must not throw.',
      },
    );
  }
  if (result.success) return result.data;
  throw invalidConfig(name, result.error.issues.flatMap(describeIssue));
}

function describeIssue(issue: ZodIssue): string[] {
  if (issue.code === 'unrecognized_keys' && issue.keys !== undefined) {
    return issue.keys.map((key) => `${fieldPath([...issue.path, key])}: unknown field`);
  }
  return [`${fieldPath(issue.path)}: ${issue.message}`];
}

function fieldPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : `${text}.${String(part)}`),
    'config',
  );
}

function invalidConfig(name: string, problems: readonly string[]): KongTsError {
  return new KongTsError('CONFIG_INVALID', `Plugin "${name}": ${problems.join('; ')}.`);
}
