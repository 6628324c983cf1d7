import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { isMoment, moment, relative } from '../text/format.ts';

export type Tone = 'good' | 'bad' | 'wait' | 'plain';

const signs: Readonly<Record<Tone, string>> = { good: '✓', bad: '✕', wait: '↻', plain: '·' };

/** A state as a word, a sign and a colour: none of them stands alone. */
export function Badge({ tone, children }: { tone: Tone; children: string }): JSX.Element {
  return (
    <span class={`badge ${tone}`}>
      <span aria-hidden="true">{signs[tone]}</span> {children}
    </span>
  );
}

const tones: Readonly<Record<string, Tone>> = {
  delivered: 'good',
  dead: 'bad',
  waiting: 'wait',
  pending: 'plain',
};

export const StateBadge = ({ state }: { state: string }): JSX.Element => (
  <Badge tone={tones[state] ?? 'plain'}>{state}</Badge>
);

/** The time of the page: one clock for all of it, which stands still while nobody looks. */
const pageNow = signal(Date.now());
setInterval(() => {
  if (!document.hidden) pageNow.value = Date.now();
}, 5000);

/** A moment, read as a distance from now; the exact time is its title. */
export function Time({ at, absolute = false }: { at: number | null; absolute?: boolean }): JSX.Element {
  if (at === null || !isMoment(at)) return <span class="quiet">–</span>;
  const exact = moment(at);
  return (
    <time class="nowrap" dateTime={new Date(at).toISOString()} title={exact}>
      {absolute ? exact : <Distance at={at} />}
    </time>
  );
}

// What happened since the clock's last tick happened now.
const Distance = ({ at }: { at: number }): JSX.Element => {
  const now = pageNow.value;
  return <>{relative(at, at > now && at - now < 10_000 ? at : now)}</>;
};
