import {
  DeclarativeError,
  UnreadableDocument,
  declarativeSummary,
  exportDeclarative,
  flattenErrors,
  loadDeclarativeObject,
  loadDeclarativeText,
  parseDocument,
  workspaceOf,
} from '../../kong-end/index.ts';
import type { PlainObject } from '../../kong-end/index.ts';
import { KongTsError } from '../../base/errors.ts';
import { created, message, ok, shown } from './answers.ts';
import type { Answer, Context, Endpoint } from './types.ts';

const needsDatabaseOff = message(
  400,
  'this endpoint is only available when Kong is configured to not use a database',
);

/** `/config`: the whole configuration of a gateway without database. */
export function configEndpoints(): Endpoint[] {
  return [
    {
      path: '/config',
      methods: {
        GET: (context) =>
          context.state.readOnly
            ? ok({ config: exportDeclarative(context.state.store, context.workspace) })
            : needsDatabaseOff,
        POST: (context) => (context.state.readOnly ? load(context) : needsDatabaseOff),
      },
    },
  ];
}

function load(context: Context): Answer {
  const { state, body, query } = context;
  const { registry } = state.store;
  const options = { registry, now: state.now, ...state.loading };
  const checkHash = textOf(query.get('check_hash') ?? body['check_hash']) === '1';
  const flatten = ['true', '1', 'on', 'yes'].includes(
    textOf(query.get('flatten_errors') ?? body['flatten_errors']).toLowerCase(),
  );
  const { check_hash: _checkHash, flatten_errors: _flattenErrors, ...declared } = body;
  const text = typeof declared['config'] === 'string' ? declared['config'] : context.raw.toString();
  if (declared['_format_version'] === undefined && text === '') {
    return message(400, 'expected a declarative configuration');
  }
  let input = declared;
  try {
    if (declared['_format_version'] === undefined) input = parseDocument(text, 'config').data;
    const loaded =
      declared['_format_version'] === undefined
        ? loadDeclarativeText(text, state.known, options)
        : loadDeclarativeObject(declared, state.known, options);
    if (checkHash && loaded.snapshot().hash === state.store.snapshot().hash) return { status: 304 };
    state.store.replaceWith(loaded);
    return created(entitiesById(context));
  } catch (thrown) {
    if (!(thrown instanceof KongTsError)) throw thrown;
    const known = { code: 14, name: 'invalid declarative configuration' };
    if (!(thrown instanceof DeclarativeError)) {
      const fields = { error: thrown instanceof UnreadableDocument ? thrown.reason : thrown.message };
      return { status: 400, body: { ...known, message: declarativeSummary(fields), fields } };
    }
    const flat = flatten ? flattenErrors(input, thrown.fields, registry) : { fields: thrown.fields };
    return { status: 400, body: { ...known, message: declarativeSummary(flat.fields), ...flat } };
  }
}

const textOf = (value: unknown): string =>
  typeof value === 'string'
    ? value
    : typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : '';

function entitiesById({ state, workspace }: Context): PlainObject {
  const result: Record<string, PlainObject> = {};
  for (const { name } of state.store.registry.kinds.values()) {
    for (const entity of state.store.table(name).values()) {
      if (name === 'workspaces' || workspaceOf(entity) === workspace)
        (result[name] ??= {})[entity.id] = shown(entity, true);
    }
  }
  return result;
}
