import { execFile } from 'node:child_process';
import type { KongFacts } from '../versions.ts';
import type { ServerDefinition } from './configuration.ts';
import { error, ok, warning, type Finding } from './finding.ts';

const phases = ['certificate', 'rewrite', 'access', 'response', 'preread', 'log'];

export interface DumpCheck {
  readonly findings: readonly Finding[];
  /** The plugins that Kong will read from this server; empty where the dump is not usable. */
  readonly plugins: readonly string[];
}

/** Runs a query command as Kong does: through a shell, with a short PATH, one JSON document on standard output. */
export async function checkDump(server: ServerDefinition, facts: KongFacts): Promise<DumpCheck> {
  const subject = `${server.prefix}_query_cmd`;
  const fail = (says: string, fix: string): DumpCheck => ({
    findings: [error(subject, says, fix)],
    plugins: [],
  });
  if (server.queryCommand === null) return { findings: [], plugins: [] };
  const began = performance.now();
  const { stdout, stderr, code } = await runAsKong(server.queryCommand);
  const seconds = (performance.now() - began) / 1000;
  if (code !== 0) {
    return fail(
      `It ended with ${String(code)}: ${lastLine(stderr) || 'it printed no error'}`,
      'Run it by hand as the user that Kong runs as.',
    );
  }
  if (stdout.trim() === '') return fail('It printed nothing.', 'It has to print one JSON document.');
  let document: unknown;
  try {
    document = JSON.parse(stdout);
  } catch {
    return fail(
      `What it prints is not one JSON document; it begins with ${JSON.stringify(stdout.slice(0, 60))}.`,
      'Nothing else may be printed on standard output: send other output to standard error.',
    );
  }
  const shape = document as { Protocol?: unknown; Plugins?: unknown };
  const plugins = Array.isArray(document) ? (document as unknown[]) : shape.Plugins;
  if (!Array.isArray(plugins) || plugins.length === 0) {
    return fail('The document lists no plugin.', 'It has to be {"Protocol": ..., "Plugins": [...]}.');
  }
  const protocol = Array.isArray(document) ? 'MsgPack:1' : shape.Protocol;
  if (protocol !== undefined && protocol !== 'MsgPack:1' && protocol !== 'ProtoBuf:1') {
    return fail(`Its protocol is ${JSON.stringify(protocol)}.`, 'Kong knows ProtoBuf:1 and MsgPack:1.');
  }
  const findings: Finding[] = [];
  const read = facts.manyPluginsPerServer ? plugins : plugins.slice(0, 1);
  if (read.length < plugins.length) {
    findings.push(
      error(
        subject,
        `The dump lists ${String(plugins.length)} plugins; Kong ${facts.version} reads only the first one.`,
        'Give each plugin a name of its own in pluginserver_names (kong-ts kong-config prints them); they may share the socket.',
      ),
    );
  }
  const names = read
    .map((plugin) => (plugin as { Name?: unknown }).Name)
    .filter((name) => typeof name === 'string');
  findings.push(...read.flatMap((plugin) => checkPlugin(subject, plugin)));
  const found = `${names.join(', ')} over ${String(protocol)}, in ${seconds.toFixed(2)} s`;
  if (seconds > 2) {
    findings.push(
      warning(
        subject,
        `${found}; Kong runs it at each start, reload and most commands.`,
        'Save what it prints and use cat.',
      ),
    );
  } else if (findings.length === 0) findings.push(ok(subject, `${found}.`));
  return { findings, plugins: names };
}

function checkPlugin(subject: string, plugin: unknown): Finding[] {
  const { Name, Version, Priority, Phases, Schema } = plugin as Record<string, unknown>;
  const problems: string[] = [];
  if (typeof Name !== 'string' || Name === '') problems.push('Name is no string');
  if (typeof Version !== 'string') problems.push('Version is no string');
  if (typeof Priority !== 'number') problems.push('Priority is no number');
  const list = Array.isArray(Phases) ? (Phases as unknown[]) : null;
  if (list === null || list.length === 0) problems.push('Phases is no list');
  const odd = (list ?? []).filter((phase) => !phases.includes(String(phase)));
  if (odd.length > 0) problems.push(`the phases ${odd.join(', ')} are not Kong's`);
  const schema = Schema as { name?: unknown; fields?: unknown } | undefined;
  if (schema?.name !== Name) problems.push('Schema.name is not the name of the plugin');
  const fields = Array.isArray(schema?.fields) ? (schema.fields as Record<string, unknown>[]) : [];
  if (!fields.some((field) => typeof field === 'object' && 'config' in field))
    problems.push('Schema has no config record');
  return problems.length === 0
    ? []
    : [
        error(
          subject,
          `The plugin ${JSON.stringify(Name)}: ${problems.join('; ')}.`,
          'Mend the plugin, or the file that cat prints.',
        ),
      ];
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';

function runAsKong(command: string): Promise<{ stdout: string; stderr: string; code: number | string }> {
  return new Promise((resolve) => {
    execFile(
      '/bin/sh',
      ['-c', `exec ${command}`],
      {
        cwd: '/',
        timeout: 20_000,
        maxBuffer: 16 * 1024 * 1024,
        env: { ...process.env, PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
      },
      (failure, stdout, stderr) => {
        const code =
          failure === null ? 0 : failure.killed === true ? 'a time-out after 20 s' : (failure.code ?? 1);
        resolve({ stdout, stderr, code });
      },
    );
  });
}
