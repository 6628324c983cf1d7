import type { Palette } from '../../terminal/index.ts';
import type { Addresses } from './gateway.ts';

export interface BannerOptions extends Addresses {
  /** Names with versions. */
  readonly plugins: readonly string[];
  readonly files: readonly string[];
  readonly config: string;
  readonly hooksAdmin: string;
  /** Null where something else has its port. */
  readonly upstream: string | null;
  /** Null where this version has no console. */
  readonly console: string | null;
  readonly paint: Palette;
}

/** What stands on the terminal once everything runs: where things are, and what to try. */
export function banner(options: BannerOptions): string {
  const { plugins, files, config, proxy, admin, upstream, hooksAdmin, attempt, paint } = options;
  const rows: [string, string | null, string][] = [
    ['proxy', proxy, ''],
    ['Admin API', admin, ''],
    ['upstream', upstream, 'answers with what it has been sent'],
    ['event hooks', `http://${hooksAdmin}`, ''],
    ['console', options.console, ''],
  ];
  const shown = rows.filter(([, address]) => address !== null);
  return [
    '',
    `${paint.bold('kong-ts dev')} serves ${plugins.join(', ')}. For development only.`,
    '',
    ...shown.map(
      ([name, address, note]) =>
        `  ${name.padEnd(12)} ${paint.cyan(address ?? '')}${note === '' ? '' : `  ${paint.dim(note)}`}`,
    ),
    '',
    ...(attempt === null ? [] : ['Try it in another terminal:', '', `  ${paint.bold(attempt)}`, '']),
    `Edit ${[...files, config].join(' or ')}: the change is live when you have saved it. Ctrl-C ends all of it.`,
    '',
  ].join('\n');
}
