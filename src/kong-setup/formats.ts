import { stringify } from 'yaml';
import type { KongSettings, Setting } from './settings.ts';
import type { Sidecar } from './sidecar.ts';
import { composeFile, helmValues, sidecarNotes } from './sidecar.ts';

/** How `kong-ts kong-config` can print what Kong needs. */
export const formats = ['env', 'env-file', 'conf', 'compose', 'helm'] as const;
export type Format = (typeof formats)[number];

/** The environment variable of a property: `KONG_`, upper case (Kong 3.9.3). */
export const variable = (setting: Setting): string => `KONG_${setting.key.toUpperCase()}`;

/**
 * The settings as text, with notes as comments before them. Beside a sidecar, compose and helm hold its container, the
 * shared volume and what Kong's container needs, too.
 * @throws KongTsError USAGE where one shared volume cannot carry the paths
 */
export function render(result: KongSettings, format: Format): string {
  const { settings, sidecar } = result;
  const whole = sidecar !== null && (format === 'compose' || format === 'helm');
  const beside = whole
    ? sidecarNotes(sidecar, format)
    : result.commands.length === 0
      ? []
      : ['Beside Kong:', ...result.commands.map((line) => `  ${line}`)];
  const image =
    sidecar === null && (format === 'compose' || format === 'helm')
      ? [
          "Kong's image has to hold Node and kong-ts (docker/Dockerfile of kong-ts makes one), and your plugins under the paths below.",
        ]
      : [];
  const comments = [...result.notes, ...image, ...beside].map((line) => `# ${line}`);
  return `${[...comments, body(settings, sidecar, format).trimEnd()].join('\n')}\n`;
}

function body(settings: readonly Setting[], sidecar: Sidecar | null, format: Format): string {
  switch (format) {
    case 'env':
      return settings.map((setting) => `${variable(setting)}=${shellWord(setting.value)}`).join('\n');
    case 'env-file':
      // docker run --env-file takes everything after the `=` as it is, including quotes.
      return settings.map((setting) => `${variable(setting)}=${setting.value}`).join('\n');
    case 'conf':
      return settings.map(({ key, value }) => `${key} = ${value}`).join('\n');
    case 'compose': {
      const environment = Object.fromEntries(settings.map((s) => [variable(s), s.value]));
      return yaml(
        sidecar === null ? { services: { kong: { environment } } } : composeFile(sidecar, environment),
      );
    }
    case 'helm': {
      // The chart's `env` takes kong.conf's own property names and adds KONG_ itself.
      const env = Object.fromEntries(settings.map(({ key, value }) => [key, value]));
      return yaml(sidecar === null ? { env } : helmValues(sidecar, env));
    }
  }
}

const yaml = (value: object): string => stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });

/** A value, written so that a shell and an env file of compose both read it. */
function shellWord(value: string): string {
  return /^[\w./:@%+=,-]*$/.test(value) ? value : `"${value}"`;
}
