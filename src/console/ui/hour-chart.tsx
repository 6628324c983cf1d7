import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { compact, count, latency, moment, timeOfDay } from '../text/format.ts';
import { roundTop } from '../text/hours.ts';
import type { HourBar } from '../text/hours.ts';
import { Table } from './table.tsx';
import { useWidth } from './use-width.ts';

const height = 150;
const edge = { left: 40, bottom: 20, top: 8 };

/** Attempts by the hour as bars, and the same as a table. */
export function HourChart({ hours }: { hours: readonly HourBar[] }): JSX.Element {
  const figure = useRef<HTMLElement>(null);
  const width = useWidth(figure, 560);
  const top = roundTop(Math.max(...hours.map(({ delivered, failed }) => delivered + failed)));
  const room = height - edge.bottom - edge.top;
  const step = (width - edge.left) / Math.max(1, hours.length);
  // A mark needs about sixty pixels.
  const every = Math.max(1, Math.ceil(60 / step));
  const y = (n: number): number => edge.top + room * (1 - n / top);
  return (
    <figure ref={figure} class="stack tight figure">
      <ul class="legend">
        <LegendItem name="bar-good" text="delivered" />
        <LegendItem name="bar-bad" text="failed attempts" />
      </ul>
      <svg class="chart-svg" viewBox={`0 0 ${String(width)} ${String(height)}`} aria-hidden="true">
        {[0, top / 2, top].map((n) => (
          <g key={n}>
            <path
              class={n === 0 ? 'axis-strong' : 'axis'}
              d={`M${String(edge.left)} ${y(n).toFixed(1)}H${String(width)}`}
            />
            <text class="chart-text" x={edge.left - 6} y={y(n) + 4} text-anchor="end">
              {top < 2 && n !== 0 && n !== top ? '' : compact(n)}
            </text>
          </g>
        ))}
        {hours.map(({ at, delivered, failed }, index) => {
          const x = edge.left + index * step + step * 0.12;
          const wide = step * 0.76;
          return (
            <g key={at}>
              <title>{`${timeOfDay(at).slice(0, 5)}: ${count(delivered)} delivered, ${count(failed)} failed`}</title>
              <rect class="bar-good" x={x} width={wide} {...upright(y, 0, delivered)} />
              <rect class="bar-bad" x={x} width={wide} {...upright(y, delivered, failed)} />
              {index % every === 0 ? (
                <text class="chart-text" x={x} y={height - 4}>
                  {timeOfDay(at).slice(0, 5)}
                </text>
              ) : null}
            </g>
          );
        })}
      </svg>
      <HourTable hours={hours} />
    </figure>
  );
}

function upright(y: (n: number) => number, from: number, n: number): { y: number; height: number } {
  const high = n === 0 ? 0 : Math.max(1.5, y(from) - y(from + n));
  return { y: y(from) - high, height: high };
}

export const LegendItem = ({ name, text }: { name: string; text: string }): JSX.Element => (
  <li>
    <svg viewBox="0 0 24 11" aria-hidden="true">
      {name.startsWith('bar') ? (
        <rect class={name} y="0" width="24" height="11" rx="2" />
      ) : (
        <path class={name} d="M0 5.5H24" />
      )}
    </svg>
    {text}
  </li>
);

const counted = (n: number, isKnown: boolean): string => (isKnown ? count(n) : 'not known');

function HourTable({ hours }: { hours: readonly HourBar[] }): JSX.Element {
  return (
    <details class="as-table">
      <summary>The numbers as a table</summary>
      <div class="scroll" tabIndex={0} role="region" aria-label="Attempts by the hour">
        <Table
          caption="Attempts by the hour, the latest first"
          rows={[...hours].reverse()}
          keyOf={({ at }) => String(at)}
          columns={[
            { name: 'From', heads: true, cell: ({ at }) => moment(at).slice(0, 16) },
            {
              name: 'Delivered',
              kind: 'number',
              cell: ({ delivered, isKnown }) => counted(delivered, isKnown),
            },
            { name: 'Failed', kind: 'number', cell: ({ failed, isKnown }) => counted(failed, isKnown) },
            { name: 'p50', kind: 'number', cell: ({ p50Ms }) => latency(p50Ms) },
            { name: 'p95', kind: 'number', cell: ({ p95Ms }) => latency(p95Ms) },
          ]}
        />
      </div>
    </details>
  );
}
