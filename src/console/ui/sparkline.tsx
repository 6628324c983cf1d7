import type { JSX } from 'preact';
import { count } from '../text/format.ts';
import type { HourBar } from '../text/hours.ts';

const width = 150;
const height = 30;

/** A bar per hour, what failed on top of what was delivered. The numbers stand beside it in the table. */
export function Sparkline({ hours }: { hours: readonly HourBar[] }): JSX.Element {
  const top = Math.max(1, ...hours.map(({ delivered, failed }) => delivered + failed));
  const step = width / Math.max(1, hours.length);
  const sum = (of: (hour: HourBar) => number): number => hours.reduce((all, hour) => all + of(hour), 0);
  const said = `By hour: ${count(sum((hour) => hour.delivered))} delivered, ${count(sum((hour) => hour.failed))} failed attempts`;
  // One path a colour, not a bar an element: there may be hundreds of rows.
  const draw = (part: (hour: HourBar) => number, below: (hour: HourBar) => number): string =>
    hours.map((hour, index) => bar(index * step, step * 0.75, part(hour) / top, below(hour) / top)).join('');
  return (
    <svg class="spark" viewBox={`0 0 ${String(width)} ${String(height)}`} role="img" aria-label={said}>
      <path class="axis" d={`M0 ${String(height - 0.5)}H${String(width)}`} />
      <path
        class="bar-good"
        d={draw(
          ({ delivered }) => delivered,
          () => 0,
        )}
      />
      <path
        class="bar-bad"
        d={draw(
          ({ failed }) => failed,
          ({ delivered }) => delivered,
        )}
      />
    </svg>
  );
}

function bar(x: number, wide: number, part: number, below: number): string {
  if (part <= 0) return '';
  const room = height - 2;
  // Nothing that happened is too small to be seen.
  const high = Math.max(1.5, part * room);
  const bottom = height - 1 - below * room;
  return `M${x.toFixed(1)} ${bottom.toFixed(1)}h${wide.toFixed(1)}v${(-high).toFixed(1)}h${(-wide).toFixed(1)}z`;
}
