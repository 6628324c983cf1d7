import type { Comparison } from '../lib/context.ts';
import type { Summary } from '../lib/statistics.ts';

const number = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toFixed(value >= 10 ? 1 : 2);

const spread = (summary: Summary | null): string =>
  summary === null
    ? ''
    : summary.min === summary.max
      ? number(summary.median)
      : `${number(summary.median)} (${number(summary.min)} to ${number(summary.max)})`;

/** The report as a Markdown table: medians with their spread. */
export function table(rows: readonly Comparison[]): string {
  const lines = rows.map((row) => {
    const peer = row.extra['second column'] === undefined ? '' : ` (${String(row.extra['second column'])})`;
    return `| ${row.name} | ${spread(row.ours)} ${row.unit} | ${row.peer === null ? '' : `${spread(row.peer)} ${row.unit}${peer}`} | ${spread(row.ratio)} | ${row.target ?? ''} | ${String(row.extra.cpu ?? '')} |`;
  });
  return [
    '| what | kong-ts | kong-pdk 0.6.0 | ratio | target | server CPU per event |',
    '|---|---|---|---|---|---|',
    ...lines,
  ].join('\n');
}
