import type { LogMark, StartedKongContainer } from '../../../src/testing/containers/index.ts';

/** What is asked of a Kong when a test fails. */
export type Logged = Pick<StartedKongContainer, 'logs' | 'logMark'>;

/** Every Kong that the file under test has started, also those that have been stopped. */
const watched: Logged[] = [];

/** Has what this Kong prints shown where a test fails. */
export function watch<Kong extends Logged>(kong: Kong): Kong {
  watched.push(kong);
  return kong;
}

/** How many lines of one Kong are shown at most. */
const mostLines = 300;
const accessLine = /^\S+ - \S+ \[[^\]]+\] "/;

/** Begins to watch a test. What it gives says what every Kong has printed since, without lines of access.log. */
export function watchTest(): () => string {
  const marks = new Map<Logged, LogMark>(watched.map((kong) => [kong, kong.logMark()]));
  return () =>
    watched
      .map((kong, index) => {
        const lines = kong
          .logs(marks.get(kong))
          .split('\n')
          .filter((line) => line !== '' && !accessLine.test(line));
        const left = Math.max(0, lines.length - mostLines);
        const head = `Kong ${String(index + 1)} printed ${String(lines.length)} lines during this test`;
        return [
          `${head}${left > 0 ? `, the last ${String(mostLines)} of them` : ''}:`,
          ...lines.slice(left),
        ].join('\n');
      })
      .join('\n');
}
