import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { timeOfDay } from '../text/format.ts';
import { roundTop } from '../text/hours.ts';
import { LegendItem } from './hour-chart.tsx';
import { useWidth } from './use-width.ts';

export interface Line {
  readonly name: string;
  /** `p50`, `p95` or `p99`: its colour and its dashes. */
  readonly style: 'p50' | 'p95' | 'p99';
  readonly values: readonly (number | null)[];
}

interface LineChartProps {
  /** Milliseconds since the epoch, one for each value. */
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  readonly format: (value: number) => string;
}

const height = 150;
const edge = { left: 56, bottom: 20, top: 8 };

/** Lines over time. Where nothing is known, a line has a gap. The numbers stand in a table beside it. */
export function LineChart({ times, lines, format }: LineChartProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const width = useWidth(place, 480);
  const known = lines.flatMap(({ values }) => values.filter((value) => value !== null));
  const top = roundTop(Math.max(0, ...known));
  const [from = 0, to = 1] = [times[0], times.at(-1)];
  const x = (at: number): number => edge.left + ((at - from) / Math.max(1, to - from)) * (width - edge.left);
  const y = (value: number): number => edge.top + (height - edge.bottom - edge.top) * (1 - value / top);
  const marks = times.filter((_, index) => index % Math.max(1, Math.ceil(times.length / 4)) === 0);
  return (
    <div ref={place} class="stack tight">
      {lines.length > 1 ? (
        <ul class="legend">
          {lines.map(({ name, style }) => (
            <LegendItem key={name} name={`line ${style}`} text={name} />
          ))}
        </ul>
      ) : null}
      <svg class="chart-svg" viewBox={`0 0 ${String(width)} ${String(height)}`} aria-hidden="true">
        {[0, top / 2, top].map((value) => (
          <g key={value}>
            <path
              class={value === 0 ? 'axis-strong' : 'axis'}
              d={`M${String(edge.left)} ${y(value).toFixed(1)}H${String(width)}`}
            />
            <text class="chart-text" x={edge.left - 6} y={y(value) + 4} text-anchor="end">
              {format(value)}
            </text>
          </g>
        ))}
        {marks.map((at) => (
          <text key={at} class="chart-text" x={x(at)} y={height - 4}>
            {timeOfDay(at).slice(0, 5)}
          </text>
        ))}
        {lines.map(({ name, style, values }) => (
          <path key={name} class={`line ${style}`} d={pathOf(values, (index) => x(times[index] ?? 0), y)} />
        ))}
      </svg>
    </div>
  );
}

function pathOf(
  values: readonly (number | null)[],
  x: (index: number) => number,
  y: (value: number) => number,
): string {
  let isOpen = false;
  return values
    .map((value, index) => {
      if (value === null) {
        isOpen = false;
        return '';
      }
      const step = `${isOpen ? 'L' : 'M'}${x(index).toFixed(1)} ${y(value).toFixed(1)}`;
      isOpen = true;
      return step;
    })
    .join('');
}
