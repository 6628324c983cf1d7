import type { JSX } from 'preact';
import type { PluginPoint, PluginSeries } from '../../api/types.ts';
import { compact, count, latency, timeOfDay } from '../../text/format.ts';
import { visible } from '../../text/visible.ts';
import { fillPoints } from '../../text/points.ts';
import { LineChart } from '../../ui/line-chart.tsx';
import { Table } from '../../ui/table.tsx';

interface ChartsProps {
  readonly series: { readonly every_seconds: number; readonly plugins: readonly PluginSeries[] };
  readonly plugins: readonly { readonly name: string }[];
}

/** Each plugin and phase over the last hour. */
export function PluginCharts({ series, plugins }: ChartsProps): JSX.Element {
  const { every_seconds: every, plugins: known } = series;
  const silent = plugins.filter(({ name }) => !known.some(({ plugin }) => plugin === name));
  return (
    <section class="stack" aria-labelledby="hour">
      <h2 id="hour">The last hour</h2>
      {known.map((one) => (
        <One
          key={`${one.plugin} ${one.phase}`}
          series={{ ...one, points: fillPoints(one.points, every, Date.now() / 1000) }}
        />
      ))}
      {silent.length === 0 ? null : (
        <p class="quiet">{`No event in the last hour: ${silent.map(({ name }) => visible(name)).join(', ')}.`}</p>
      )}
    </section>
  );
}

function One({ series: { plugin, phase, points } }: { series: PluginSeries }): JSX.Element {
  const times = points.map(({ at }) => at * 1000);
  const all = (of: (point: PluginPoint) => number | null): (number | null)[] => points.map(of);
  const last = points.at(-1);
  const errors = points.reduce((sum, point) => sum + point.errors + point.timeouts, 0);
  return (
    <article class="card stack" aria-label={`${plugin}, ${phase}`}>
      <div class="row spread">
        <h3>
          {visible(plugin)} <span class="quiet">{phase}</span>
        </h3>
        <p class="quiet small">
          {`now ${rate(last?.events_per_second ?? 0)}, ${count(errors)} errors in the hour`}
          {last?.calls_per_event == null ? '' : `, ${last.calls_per_event.toFixed(1)} PDK calls per event`}
        </p>
      </div>
      <div class="charts">
        <figure class="figure stack tight">
          <figcaption class="small quiet">Events per second</figcaption>
          <LineChart
            times={times}
            lines={[
              { name: 'events per second', style: 'p50', values: all((point) => point.events_per_second) },
            ]}
            format={(value) => (value < 10 ? String(Number(value.toFixed(2))) : compact(value))}
          />
        </figure>
        <figure class="figure stack tight">
          <figcaption class="small quiet">Latency</figcaption>
          <LineChart
            times={times}
            lines={[
              { name: 'p50', style: 'p50', values: all((point) => point.p50_ms) },
              { name: 'p95', style: 'p95', values: all((point) => point.p95_ms) },
              { name: 'p99', style: 'p99', values: all((point) => point.p99_ms) },
            ]}
            format={latency}
          />
        </figure>
      </div>
      <Numbers points={points} what={`${plugin}, ${phase}`} />
    </article>
  );
}

const rate = (perSecond: number): string =>
  `${perSecond < 10 ? perSecond.toFixed(1) : compact(perSecond)} events/s`;

const Numbers = ({ points, what }: { points: readonly PluginPoint[]; what: string }): JSX.Element => (
  <details class="as-table">
    <summary>
      The numbers as a table<span class="unseen">{` of ${what}`}</span>
    </summary>
    <div class="scroll" tabIndex={0} role="region" aria-label={`The last hour of ${what}`}>
      <Table
        caption={`The last hour of ${what}, the latest first`}
        rows={[...points].reverse()}
        keyOf={({ at }) => String(at)}
        columns={[
          { name: 'From', heads: true, cell: ({ at }) => timeOfDay(at * 1000) },
          { name: 'Events/s', kind: 'number', cell: (point) => point.events_per_second.toFixed(1) },
          { name: 'Errors', kind: 'number', cell: ({ errors }) => count(errors) },
          { name: 'Timeouts', kind: 'number', cell: ({ timeouts }) => count(timeouts) },
          { name: 'p50', kind: 'number', cell: (point) => latency(point.p50_ms) },
          { name: 'p95', kind: 'number', cell: (point) => latency(point.p95_ms) },
          { name: 'p99', kind: 'number', cell: (point) => latency(point.p99_ms) },
          { name: 'Calls/event', kind: 'number', cell: (point) => point.calls_per_event?.toFixed(1) ?? '–' },
        ]}
      />
    </div>
  </details>
);
