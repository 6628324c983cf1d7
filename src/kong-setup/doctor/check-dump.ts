import { fingerprintOf } from '../../plugin/index.ts';
import type { KongFacts } from '../versions.ts';
import type { ServerDefinition } from '../kong-conf.ts';
import type { Finding } from './finding.ts';
import { error, ok, warning } from './finding.ts';
import { runAsKong, tellingLine } from './run-command.ts';

const phases = ['certificate', 'rewrite', 'access', 'response', 'preread', 'log'];

export interface DumpCheck {
  readonly findings: readonly Finding[];
  /** The plugins that Kong will read from this server. Empty: the dump cannot be used. */
  readonly plugins: readonly DumpedPlugin[];
}

/** A plugin as a dump tells Kong of it. */
export interface DumpedPlugin {
  readonly name: string;
  readonly protocol: string;
  /** See fingerprintOf. The server that serves the plugin has the same, unless the dump is an old one. */
  readonly fingerprint: string;
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
  const { stdout, stderr, code } = await runAsKong(server.queryCommand, 'cli');
  const seconds = (performance.now() - began) / 1000;
  if (code !== 0) {
    return fail(
      `It ended with ${String(code)}: ${tellingLine(stderr) || 'it printed no error'}`,
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
  const shape = recordOf(document);
  const plugins = Array.isArray(document) ? (document as unknown[]) : shape.Plugins;
  if (!Array.isArray(plugins) || plugins.length === 0) {
    return fail('The document lists no plugin.', 'It has to be {"Protocol": ..., "Plugins": [...]}.');
  }
  // A document without a protocol is MsgPack:1 to Kong.
  const protocol = Array.isArray(document) ? 'MsgPack:1' : (shape.Protocol ?? 'MsgPack:1');
  if (protocol !== 'MsgPack:1' && protocol !== 'ProtoBuf:1') {
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
  const names = read.map((plugin) => recordOf(plugin).Name).filter((name) => typeof name === 'string');
  findings.push(...read.flatMap((plugin) => checkPlugin(subject, plugin)));
  const found = `${names.join(', ')} over ${protocol}, in ${seconds.toFixed(2)} s`;
  if (seconds > 2) {
    findings.push(
      warning(
        subject,
        `${found}; Kong runs it at each start, reload and most commands.`,
        'Save what it prints and use cat.',
      ),
    );
  } else if (findings.length === 0) findings.push(ok(subject, `${found}.`));
  return { findings, plugins: read.flatMap((plugin) => dumped(plugin, protocol)) };
}

const recordOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

function dumped(plugin: unknown, protocol: string): DumpedPlugin[] {
  const { Name: name } = recordOf(plugin);
  if (typeof name !== 'string') return [];
  const document = { Protocol: protocol, Plugins: [plugin] } as Parameters<typeof fingerprintOf>[0];
  return [{ name, protocol, fingerprint: fingerprintOf(document) }];
}

function checkPlugin(subject: string, plugin: unknown): Finding[] {
  const { Name, Version, Priority, Phases, Schema } = recordOf(plugin);
  const problems: string[] = [];
  if (typeof Name !== 'string' || Name === '') problems.push('Name is not a string');
  if (typeof Version !== 'string') problems.push('Version is not a string');
  if (typeof Priority !== 'number') problems.push('Priority is not a number');
  const list = Array.isArray(Phases) ? (Phases as unknown[]) : null;
  if (list === null || list.length === 0) problems.push('Phases is not a list');
  const odd = (list ?? []).filter((phase) => !phases.includes(String(phase)));
  if (odd.length > 0) problems.push(`the phases ${odd.join(', ')} are not Kong's`);
  const schema = recordOf(Schema);
  if (schema.name !== Name) problems.push('Schema.name is not the name of the plugin');
  const fields: unknown[] = Array.isArray(schema.fields) ? schema.fields : [];
  if (!fields.some((field) => 'config' in recordOf(field))) problems.push('Schema has no config record');
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
