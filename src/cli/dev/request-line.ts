import type { RequestReport } from '../../sandbox/index.ts';
import type { Paint, Palette } from '../../terminal/index.ts';
import { printableLine } from '../../terminal/index.ts';

type PhaseReport = RequestReport['phases'][number];

/** Longest target that a line shows, in characters. */
const longest = 120;

/**
 * A request in one line: what was asked and answered, how long it took, and for each plugin its phases with their time, the calls
 * that Kong answered and the frames on the socket.
 */
export function requestLine(report: RequestReport, time: Date, paint: Palette): string {
  const { method, target, status, ms, upstreamMs, route, phases } = report;
  const upstream = upstreamMs === null ? '' : paint.dim(` (upstream ${milliseconds(upstreamMs)})`);
  const parts = [
    paint.dim(time.toTimeString().slice(0, 8)),
    paint.bold(`${method} ${shortened(printableLine(target))}`),
    statusPaint(status, paint)(String(status)),
    `${milliseconds(ms)}${upstream}`,
    ...(route === null ? [paint.yellow('no route in kong.yml')] : []),
    ...pluginTexts(phases, paint),
  ];
  return parts.join(' ');
}

function pluginTexts(phases: readonly PhaseReport[], paint: Palette): string[] {
  const names = [...new Set(phases.map(({ plugin }) => plugin))];
  return names.map((name) => {
    const own = phases.filter(({ plugin }) => plugin === name);
    return `${paint.dim('|')} ${paint.cyan(name)} ${own.map((each) => phaseText(each, paint)).join(', ')}`;
  });
}

function phaseText({ phase, ms, calls, frames, failure }: PhaseReport, paint: Palette): string {
  const failed = failure === null ? '' : paint.red(' failed');
  return `${phase} ${milliseconds(ms)} ${paint.dim(`${count(calls, 'call')} ${count(frames, 'frame')}`)}${failed}`;
}

const count = (number: number, word: string): string => `${String(number)} ${word}${number === 1 ? '' : 's'}`;

/** `0.4 ms`, `12 ms`, `1.2 s`. */
function milliseconds(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  return `${ms < 10 ? ms.toFixed(1).replace(/\.0$/, '') : ms.toFixed(0)} ms`;
}

function statusPaint(status: number, paint: Palette): Paint {
  if (status >= 500) return paint.red;
  return status >= 400 ? paint.yellow : paint.green;
}

const shortened = (text: string): string => (text.length > longest ? `${text.slice(0, longest)}...` : text);
