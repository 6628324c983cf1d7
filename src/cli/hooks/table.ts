import { printableLine } from '../../terminal/index.ts';

const maxWidth = 60;

/** Rows as aligned columns under a heading, one line each; the first column, which names the row, is never cut. */
export function table(columns: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const cells = [columns, ...rows].map((row) =>
    row.map((value, index) => cell(value, index === 0 ? Number.POSITIVE_INFINITY : maxWidth)),
  );
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => row[index]?.length ?? 0)));
  return cells
    .map((row) =>
      row
        .map((text, index) => text.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function cell(value: unknown, width: number): string {
  if (value === null || value === undefined || value === '') return '-';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const line = printableLine(text);
  return line.length > width ? `${line.slice(0, width - 1)}…` : line;
}

/** Seconds since the epoch in local time; an empty text where there is no time. */
export function time(seconds: number | null): string | null {
  return seconds === null ? null : new Date(seconds * 1000).toISOString().replace('T', ' ').slice(0, 19);
}
