import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Comparison } from '../lib/context.ts';
import { chart, mergingLines, throughputLines } from './chart.ts';

const pictures = {
  throughput: {
    title: 'Events per second over the number of PDK calls (access, 16 connections)',
    lines: throughputLines,
  },
  merging: {
    title: 'Events per second of server CPU: getters and one setter, merged and not',
    lines: mergingLines,
  },
};

/** Draws the pictures of those scenarios that were run, into `results/`. */
export function drawPictures(results: Readonly<Record<string, Comparison[]>>): void {
  for (const [name, { title, lines }] of Object.entries(pictures)) {
    const rows = results[name];
    if (rows === undefined) continue;
    const target = fileURLToPath(new URL(`../results/${name}.svg`, import.meta.url));
    writeFileSync(target, chart(title, lines(rows)));
  }
}
