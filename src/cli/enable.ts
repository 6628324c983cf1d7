import { Command } from 'commander';
import { parse } from 'yaml';
import { KongTsError, messageOf } from '../base/errors.ts';
import { readText } from '../base/read-text.ts';
import { describeDifferences, enablePlugin } from '../kong-setup/enable/index.ts';
import type { KongAdminOptions } from './kong-admin-options.ts';
import { kongAdminOf, withKongAdmin } from './kong-admin-options.ts';
import { printable } from '../terminal/index.ts';

interface Options extends KongAdminOptions {
  workspace?: string;
  createWorkspace: boolean;
  service?: string;
  route?: string;
  consumer?: string;
  config?: string;
  dryRun: boolean;
}

/** The configuration in a JSON or YAML file; with or without a `config:` around it. */
function readConfig(file: string | undefined): Record<string, unknown> {
  if (file === undefined) return {};
  let value: unknown;
  try {
    value = parse(readText(file));
  } catch (error) {
    throw new KongTsError(
      'FILE_UNREADABLE',
      `The configuration ${file} cannot be read: ${messageOf(error)}.`,
      {
        cause: error,
      },
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new KongTsError('FILE_UNREADABLE', `The configuration ${file} is not a map of fields.`, {
      fix: "Write the fields of the plugin's config as JSON or YAML.",
    });
  }
  const record = value as Record<string, unknown>;
  const inner = record.config;
  const wrapped = Object.keys(record).length === 1 && typeof inner === 'object' && inner !== null;
  return wrapped ? (inner as Record<string, unknown>) : record;
}

export function build(): Command {
  const command = new Command('enable')
    .description("create or update a plugin through Kong's Admin API; the same call twice changes nothing")
    .argument('<plugin>', 'the name of the plugin in Kong');
  return withKongAdmin(command, "Kong's Admin API")
    .option('--workspace <name>', 'the workspace (Kong Enterprise); the default one when left out')
    .option('--create-workspace', 'make the workspace when it is not there', false)
    .option('--service <name>', 'only for this service')
    .option('--route <name>', 'only for this route')
    .option('--consumer <name>', 'only for this consumer')
    .option('--config <file>', 'the configuration, JSON or YAML')
    .option('--dry-run', 'show what would change, and change nothing', false)
    .action(async (plugin: string, options: Options) => {
      const admin = kongAdminOf(options);
      if (admin === null) {
        throw new KongTsError('USAGE', "Nothing says where Kong's Admin API is.", {
          fix: 'Give --admin-url, for example http://127.0.0.1:8001, or --admin-url-file.',
        });
      }
      const { service, route, consumer } = options;
      const result = await enablePlugin(admin, {
        plugin,
        workspace: options.workspace ?? null,
        createWorkspace: options.createWorkspace,
        scope: {
          ...(service === undefined ? {} : { service }),
          ...(route === undefined ? {} : { route }),
          ...(consumer === undefined ? {} : { consumer }),
        },
        config: readConfig(options.config),
        dryRun: options.dryRun,
      });
      const verb = { create: 'created', update: 'updated', unchanged: 'already as wanted' }[result.action];
      const would = {
        create: 'would be created',
        update: 'would be updated',
        unchanged: 'already as wanted',
      }[result.action];
      const lines = [
        ...(result.workspace.action === 'create'
          ? [`workspace ${result.workspace.name}: ${options.dryRun ? 'would be created' : 'created'}`]
          : []),
        `plugin ${plugin} in workspace ${result.workspace.name}: ${options.dryRun ? would : verb}`,
        ...describeDifferences(result.differences).map((line) => `  ${line}`),
      ];
      process.stdout.write(printable(`${lines.join('\n')}\n`));
    });
}
