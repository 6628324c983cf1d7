import { messageOf } from '../../base/errors.ts';
import type { KongAdmin } from '../../kong-admin/index.ts';
import { AdminRefusal } from '../../kong-admin/index.ts';
import type { KongFacts } from '../versions.ts';
import type { Finding } from './finding.ts';
import { error, ok, warning } from './finding.ts';

export interface AdminCheck {
  readonly findings: readonly Finding[];
  /** Whether a Kong answered. */
  readonly answers: boolean;
}

/** What the running Kong says: its version, whether it has loaded the plugins, and whether it took their schemas. */
export async function checkAdmin(
  admin: KongAdmin,
  facts: KongFacts,
  plugins: readonly string[],
): Promise<AdminCheck> {
  let info;
  try {
    info = await admin.info();
  } catch (thrown) {
    const fix = 'Set admin_listen, and give --admin-url (and --token-file) accordingly.';
    // A Kong that refuses has answered, too.
    const answers = thrown instanceof AdminRefusal;
    return { findings: [error(admin.url, messageOf(thrown), fix)], answers };
  }
  // Only a Kong node lists its plugins.
  if (info.availablePlugins === null && !(await hasSchemas(admin))) {
    return { findings: [notAdmin(admin.url, info.version)], answers: info.version !== 'unknown' };
  }
  const findings: Finding[] = [ok(admin.url, `Kong ${info.version}, ${info.edition ?? 'edition not told'}.`)];
  if (
    info.version !== 'unknown' &&
    !info.version.startsWith(`${facts.version}.`) &&
    info.version !== facts.version
  ) {
    findings.push(
      warning(
        admin.url,
        `It is Kong ${info.version}; the rest was checked for ${facts.version}.`,
        `Run again with --kong ${info.version}.`,
      ),
    );
  }
  for (const plugin of plugins) findings.push(await checkPlugin(admin, plugin, info.availablePlugins));
  return { findings, answers: true };
}

/** Whether this Admin API has schemas. A schema that this token may not read is there, too. */
async function hasSchemas(admin: KongAdmin): Promise<boolean> {
  const { status, body } = await admin.request('GET', '/schemas/services').catch(() => ({
    status: 0,
    body: null,
  }));
  if (status === 401 || status === 403) return true;
  return status === 200 && typeof body === 'object' && body !== null && 'fields' in body;
}

function notAdmin(url: string, version: string): Finding {
  return error(
    url,
    version === 'unknown'
      ? 'What answers there is not an Admin API: it names no version of Kong and has no /schemas.'
      : `Kong ${version} answers there, and it is not an Admin API: it has no /schemas, as its Status API has none.`,
    "Give the address of Kong's Admin API (admin_listen, port 8001 unless configured otherwise).",
  );
}

async function checkPlugin(
  admin: KongAdmin,
  plugin: string,
  available: readonly string[] | null,
): Promise<Finding> {
  const subject = `plugin ${plugin}`;
  let schema;
  try {
    schema = await admin.request('GET', `/schemas/plugins/${encodeURIComponent(plugin)}`);
  } catch (thrown) {
    return error(subject, messageOf(thrown), 'Run kong-ts doctor again when the Admin API answers.');
  }
  if (schema.status === 200) return ok(subject, 'Kong has loaded it and taken its schema.');
  if (schema.status !== 404) {
    return error(
      subject,
      `The Admin API answered ${String(schema.status)} when it was asked for the schema.`,
      schema.status === 401 || schema.status === 403
        ? 'Give a token that may read schemas (--token-file).'
        : 'Look into error.log for the reason.',
    );
  }
  return available?.includes(plugin) === true
    ? error(
        subject,
        'Kong knows it, but has no schema of it.',
        'Look into error.log for a line about its schema.',
      )
    : error(
        subject,
        'The running Kong has not loaded it.',
        'Add it to plugins and its server to pluginserver_names, then restart Kong (a reload does not read a changed environment).',
      );
}
