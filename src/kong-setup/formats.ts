import { stringify } from 'yaml';
import type { KongSettings, Setting } from './settings.ts';

/** How `kong-ts kong-config` can print what Kong needs. */
export const formats = ['env', 'env-file', 'conf', 'compose', 'helm'] as const;
export type Format = (typeof formats)[number];

/** The environment variable of a property: `KONG_`, upper case (Kong 3.9.3). */
export const variable = (setting: Setting): string => `KONG_${setting.key.toUpperCase()}`;

/** The settings as text: settings first, notes as comments before them. */
export function render(result: KongSettings, format: Format): string {
  const comments = [
    ...result.notes,
    ...(result.commands.length === 0 ? [] : ['Beside Kong:', ...result.commands.map((line) => `  ${line}`)]),
  ].map((line) => `# ${line}`);
  return `${[...comments, body(result.settings, format).trimEnd()].join('\n')}\n`;
}

function body(settings: readonly Setting[], format: Format): string {
  switch (format) {
    case 'env':
      return settings.map((setting) => `${variable(setting)}=${shellWord(setting.value)}`).join('\n');
    case 'env-file':
      // docker run --env-file takes everything after the = as it is, quotes too.
      return settings.map((setting) => `${variable(setting)}=${setting.value}`).join('\n');
    case 'conf':
      return settings.map(({ key, value }) => `${key} = ${value}`).join('\n');
    case 'compose':
      return stringify(
        {
          services: {
            kong: { environment: Object.fromEntries(settings.map((s) => [variable(s), s.value])) },
          },
        },
        { lineWidth: 0 },
      );
    case 'helm':
      // The chart's `env` takes kong.conf's own property names and adds KONG_ itself.
      return stringify(
        { env: Object.fromEntries(settings.map(({ key, value }) => [key, value])) },
        { lineWidth: 0 },
      );
  }
}

/** A value as a shell and an env file of compose both read it. */
function shellWord(value: string): string {
  return /^[\w./:@%+=,-]*$/.test(value) ? value : `"${value}"`;
}
