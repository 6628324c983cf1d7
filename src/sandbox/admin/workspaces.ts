import { page, workspaceOf } from '../../kong-end/index.ts';
import type { Entity } from '../../kong-end/index.ts';
import { created, listed, message, noContent, notFound, ok } from './answers.ts';
import { input, paging, writable } from './entities.ts';
import type { Answer, Context, Endpoint } from './types.ts';

/** Workspaces, which Kong Enterprise has and Kong OSS has not. */
export function workspaceEndpoints(): Endpoint[] {
  const find = (context: Context): Entity | undefined =>
    context.state.dao.find('workspaces', context.params['workspaces'] ?? '', '');
  const fields = (context: Context): ReturnType<typeof input> => {
    const kind = context.state.store.registry.kind('workspaces');
    writable(context, 'create or update', kind);
    return input(context, kind);
  };
  return [
    {
      path: '/workspaces',
      methods: {
        GET: (context) => {
          const { data, offset } = page(context.state.store, 'workspaces', paging(context));
          const size = context.query.get('size');
          return listed(context, data, offset, '/workspaces', size === null ? '' : `&size=${size}`);
        },
        POST: (context) => created(context.state.dao.insert('workspaces', fields(context), '')),
      },
    },
    {
      path: '/workspaces/:workspaces',
      methods: {
        GET: (context) => {
          const workspace = find(context);
          return workspace === undefined ? notFound : ok(workspace);
        },
        PATCH: (context) => {
          const workspace = find(context);
          if (workspace === undefined) return notFound;
          return ok(context.state.dao.update('workspaces', workspace, fields(context), ''));
        },
        PUT: (context) =>
          ok(context.state.dao.upsert('workspaces', context.params['workspaces'] ?? '', fields(context), '')),
        DELETE: (context) => remove(context, find(context)),
      },
    },
  ];
}

function remove(context: Context, workspace: Entity | undefined): Answer {
  const { store, dao } = context.state;
  writable(context, 'remove', store.registry.kind('workspaces'));
  if (workspace === undefined) return noContent;
  if (workspace['name'] === 'default') return message(400, 'Cannot delete default workspace');
  for (const { name } of store.registry.kinds.values()) {
    for (const entity of store.table(name).values()) {
      if (name !== 'workspaces' && workspaceOf(entity) === workspace.id) {
        return message(400, 'Workspace is not empty');
      }
    }
  }
  dao.delete('workspaces', workspace);
  return noContent;
}
