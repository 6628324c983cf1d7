import { readFileSync } from 'node:fs';
import type { Comparison } from './lib/context.ts';
import { drawPictures } from './report/pictures.ts';

// node bench/draw.ts [file]: the pictures of a run, from what it has left in results/latest.json.
const [file = new URL('results/latest.json', import.meta.url)] = process.argv.slice(2);
const { results } = JSON.parse(readFileSync(file, 'utf8')) as { results: Record<string, Comparison[]> };
drawPictures(results);
