import { KongTsError } from '../../base/errors.ts';
import type { KongAdmin } from '../../kong-admin/index.ts';
import { AdminRefusal } from '../../kong-admin/index.ts';
import type { Difference, Field } from './difference.ts';
import { differences } from './difference.ts';

export interface EnableOptions {
  readonly plugin: string;
  /** Workspace by name; null is Kong's default one. */
  readonly workspace: string | null;
  /** Makes the workspace when it is not there (Enterprise). */
  readonly createWorkspace: boolean;
  /** Names or ids; at most one of each. None: the plugin runs on the whole workspace. */
  readonly scope: { readonly service?: string; readonly route?: string; readonly consumer?: string };
  /** The plugin's configuration; fields that are not given keep what Kong has, or its default. */
  readonly config: Record<string, unknown>;
  readonly dryRun: boolean;
}

export interface EnableResult {
  /** What was done; with `dryRun`, what would be done. */
  readonly action: 'create' | 'update' | 'unchanged';
  readonly workspace: { readonly name: string; readonly action: 'existing' | 'create' };
  readonly differences: readonly Difference[];
  /** The plugin as Kong has it now; null with `dryRun`. */
  readonly plugin: Record<string, unknown> | null;
}

const scopes = ['service', 'route', 'consumer'] as const;
const collections = { service: 'services', route: 'routes', consumer: 'consumers' } as const;

/**
 * Puts a plugin into a workspace, on a service, route or consumer, or changes it. The same call a second time changes
 * nothing.
 * @throws KongTsError USAGE where the workspace or the scope is not there, ADMIN_REFUSED with Kong's words where Kong
 * does not take the plugin or its configuration
 */
export async function enablePlugin(root: KongAdmin, options: EnableOptions): Promise<EnableResult> {
  const workspace = await resolveWorkspace(root, options);
  if (workspace.action === 'create') {
    // The workspace would be new and empty, and so a scope cannot be there either.
    const named = scopes.find((kind) => options.scope[kind] !== undefined);
    if (named !== undefined) throw absent(named, String(options.scope[named]), workspace.name);
    if (!options.dryRun) await root.send('POST', '/workspaces', { name: workspace.name });
  }
  const admin = workspace.prefix === null ? root : root.in(workspace.prefix);
  const ids = await scopeIds(admin, options.scope, workspace.name);
  const reuse = workspace.action === 'existing' || !options.dryRun;
  const existing = reuse ? await findPlugin(admin, options.plugin, ids) : null;
  const wanted = { enabled: true, config: options.config };
  const schema = existing === null ? {} : await schemaOf(admin, options.plugin);
  const changes = differences(existing === null ? {} : existing, wanted, schema);
  const shown = { name: workspace.name, action: workspace.action };
  if (existing !== null && changes.length === 0) {
    return { action: 'unchanged', workspace: shown, differences: [], plugin: existing };
  }
  const action = existing === null ? 'create' : 'update';
  if (options.dryRun) {
    // A change is not tried out. Only Kong knows how it merges one: old names of fields stand beside new ones.
    if (existing === null)
      await tryOut(workspace.action === 'create' ? root : admin, { name: options.plugin, ...wanted });
    return { action, workspace: shown, differences: changes, plugin: null };
  }
  const plugin =
    existing === null
      ? await admin.send('POST', '/plugins', { name: options.plugin, ...wanted, ...ids })
      : await admin.send('PATCH', `/plugins/${String(existing.id)}`, wanted);
  return { action, workspace: shown, differences: changes, plugin };
}

async function resolveWorkspace(
  root: KongAdmin,
  { workspace, createWorkspace }: EnableOptions,
): Promise<{ name: string; prefix: string | null; action: 'existing' | 'create' }> {
  if (workspace === null) return { name: 'default', prefix: null, action: 'existing' };
  const { status } = await root.request('GET', '/workspaces?size=1');
  if (status === 401 || status === 403) {
    // An administrator of one workspace may not read the list of all workspaces. Kong answers the rest below that
    // workspace's own path.
    return { name: workspace, prefix: workspace, action: 'existing' };
  }
  if (status === 404) {
    if (workspace === 'default') return { name: 'default', prefix: null, action: 'existing' };
    const { version } = await root.info();
    throw new KongTsError(
      'USAGE',
      `This Kong (${version}) has no workspaces: the open-source edition has the one workspace "default" only.`,
      {
        fix: `Leave out --workspace, or set the plugin on a service or route of that team (--service, --route).`,
      },
    );
  }
  const found = await root.send('GET', `/workspaces/${encodeURIComponent(workspace)}`);
  if (found !== null) return { name: workspace, prefix: workspace, action: 'existing' };
  if (createWorkspace) return { name: workspace, prefix: workspace, action: 'create' };
  throw new KongTsError('USAGE', `There is no workspace "${workspace}".`, {
    fix: 'Add --create-workspace to make it.',
  });
}

function absent(kind: string, name: string, workspace: string): KongTsError {
  return new KongTsError('USAGE', `There is no ${kind} "${name}" in the workspace "${workspace}".`);
}

/**
 * Asks Kong whether it would take the plugin. No answer (no such path, no right to it) counts as yes.
 * @throws KongTsError ADMIN_REFUSED
 */
async function tryOut(
  admin: KongAdmin,
  plugin: { name: string; enabled: boolean; config: Record<string, unknown> },
): Promise<void> {
  try {
    await admin.send('POST', '/schemas/plugins/validate', plugin);
  } catch (thrown) {
    if (!(thrown instanceof AdminRefusal) || thrown.status === 400) throw thrown;
  }
}

type ScopeIds = Partial<Record<(typeof scopes)[number], { id: string }>>;

async function scopeIds(
  admin: KongAdmin,
  scope: EnableOptions['scope'],
  workspace: string,
): Promise<ScopeIds> {
  const ids: ScopeIds = {};
  for (const kind of scopes) {
    const name = scope[kind];
    if (name === undefined) continue;
    const entity = await admin.send('GET', `/${collections[kind]}/${encodeURIComponent(name)}`);
    if (entity === null) throw absent(kind, name, workspace);
    ids[kind] = { id: String(entity.id) };
  }
  return ids;
}

/** The plugin's schema; an empty one where Kong does not give it (a token that may not read it). */
async function schemaOf(admin: KongAdmin, plugin: string): Promise<Field> {
  const { status, body } = await admin.request('GET', `/schemas/plugins/${encodeURIComponent(plugin)}`);
  return status === 200 && typeof body === 'object' && body !== null ? body : {};
}

/** The plugin of that name with exactly that scope: Kong allows one. */
async function findPlugin(
  admin: KongAdmin,
  name: string,
  ids: ScopeIds,
): Promise<Record<string, unknown> | null> {
  for await (const page of admin.pages('/plugins')) {
    for (const plugin of page) {
      if (plugin.name !== name) continue;
      // In Kong Enterprise, a plugin for a group of consumers is not the plugin for all.
      if ((plugin.consumer_group ?? null) !== null) continue;
      const same = scopes.every((kind) => {
        const reference = plugin[kind] as { id?: unknown } | null | undefined;
        return (reference?.id ?? null) === (ids[kind]?.id ?? null);
      });
      if (same) return plugin;
    }
  }
  return null;
}
