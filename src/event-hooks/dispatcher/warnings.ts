import { nearest } from '../../base/nearest.ts';
import type { Hook } from '../model/hook.ts';
import type { SourceRegistry } from '../sources/registry.ts';

/** Sources that only a watched Kong feeds. */
const ofKong: readonly string[] = ['crud', 'dao:crud', 'balancer'];

/** A dispatcher, as far as a hook's events come from it. */
export interface Publishers {
  readonly sources: SourceRegistry;
  /** Whether a Kong is watched, so that `crud` and `balancer` have events. */
  readonly watchesKong: boolean;
}

/** Why a hook may never fire: nobody has published its event so far. It may name such an event, as in Kong. */
export function publisherWarnings(hook: Hook, { sources, watchesKong }: Publishers): string[] {
  const published = sources.source(hook.source);
  if (published === undefined) {
    const meant = nearest(hook.source, Object.keys(sources.all()));
    return [unpublished(`an event of the source "${hook.source}"`, meant)];
  }
  if (hook.event !== null && !Object.hasOwn(published, hook.event)) {
    const meant = nearest(hook.event, Object.keys(published));
    return [unpublished(`the event "${hook.event}" of the source "${hook.source}"`, meant)];
  }
  if (watchesKong || !ofKong.includes(hook.source)) return [];
  return [
    `This dispatcher was started without --kong-admin and watches no Kong: the hook fires only for ${hook.source} events that somebody sends to it.`,
  ];
}

function unpublished(what: string, meant: string | null): string {
  const question = meant === null ? '' : ` Did you mean "${meant}"?`;
  return `Nobody has published ${what} so far.${question} The hook fires once somebody does.`;
}
