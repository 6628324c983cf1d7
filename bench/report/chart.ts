import type { Comparison } from '../lib/context.ts';

const width = 640;
const height = 360;
const left = 64;
const right = 200;
const top = 32;
const bottom = 44;

/** One line of a picture: events per second over the number of getters. */
export interface Line {
  name: string;
  colour: string;
  points: { n: number; perSecond: number }[];
}

/** From the rows of the scenario `throughput`. */
export function throughputLines(rows: readonly Comparison[]): Line[] {
  const of = (protocol: string, burst: string): Comparison[] =>
    rows.filter((row) => row.extra.protocol === protocol && row.extra.burst === burst);
  const points = (some: Comparison[], side: 'ours' | 'peer'): Line['points'] =>
    some.map((row) => ({ n: Number(row.extra.n), perSecond: row[side]?.median ?? 0 }));
  return [
    {
      name: 'kong-ts, ProtoBuf, together',
      colour: '#0b6e4f',
      points: points(of('protobuf', 'true'), 'ours'),
    },
    { name: 'kong-ts, ProtoBuf', colour: '#1f9e77', points: points(of('protobuf', 'false'), 'ours') },
    { name: 'kong-ts, MsgPack', colour: '#4878a8', points: points(of('msgpack', 'false'), 'ours') },
    { name: 'kong-pdk 0.6.0, MsgPack', colour: '#b0532d', points: points(of('msgpack', 'false'), 'peer') },
  ].filter((line) => line.points.length > 0);
}

/**
 * From the rows of the scenario `merging`: merged, each call by itself, and kong-pdk. Events per second of the server's CPU
 * time, what one core of its own gives: the lines are measured one after the other, and the machine's other work does not bend
 * them.
 */
export function mergingLines(rows: readonly Comparison[]): Line[] {
  const line = (
    name: string,
    colour: string,
    protocol: string,
    merge: boolean,
    side: 'ours' | 'peer',
  ): Line => ({
    name,
    colour,
    points: rows
      .filter(({ extra }) => extra.protocol === protocol && extra.merge === String(merge))
      .filter(({ extra }) => Number(extra.setters) === 1)
      .map((row) => ({ n: Number(row.extra.n), perSecond: 1e6 / (row[side]?.median ?? Infinity) })),
  });
  return [
    line('ProtoBuf, merged', '#0b6e4f', 'protobuf', true, 'ours'),
    line('ProtoBuf, each by itself', '#7cc4a8', 'protobuf', false, 'ours'),
    line('MsgPack, merged', '#24517f', 'msgpack', true, 'ours'),
    line('MsgPack, each by itself', '#8fb3d9', 'msgpack', false, 'ours'),
    line('kong-pdk 0.6.0, MsgPack', '#b0532d', 'msgpack', true, 'peer'),
  ].filter(({ points }) => points.length > 0);
}

/** Throughput over the number of PDK calls, as a self-contained SVG. */
export function chart(title: string, lines: readonly Line[]): string {
  const most = Math.max(1, ...lines.flatMap((line) => line.points.map((point) => point.perSecond)));
  const step = 10 ** Math.floor(Math.log10(most)) / (most / 10 ** Math.floor(Math.log10(most)) < 3 ? 2 : 1);
  const ceiling = Math.ceil(most / step) * step;
  const x = (n: number): number => left + (n / 10) * (width - left - right);
  const y = (value: number): number => height - bottom - (value / ceiling) * (height - top - bottom);
  const out = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(width)} ${String(height)}" font-family="system-ui, sans-serif" font-size="12">`,
    `<rect width="${String(width)}" height="${String(height)}" fill="#fff"/>`,
    `<text x="${String(left)}" y="18" font-size="14">${title}</text>`,
  ];
  for (let value = 0; value <= ceiling; value += step) {
    out.push(
      `<line x1="${String(left)}" x2="${String(width - right)}" y1="${y(value).toFixed(1)}" y2="${y(value).toFixed(1)}" stroke="#ddd"/>`,
      `<text x="${String(left - 8)}" y="${(y(value) + 4).toFixed(1)}" text-anchor="end" fill="#555">${value.toLocaleString('en-US')}</text>`,
    );
  }
  for (const n of [0, 1, 3, 10]) {
    out.push(
      `<text x="${x(n).toFixed(1)}" y="${String(height - bottom + 18)}" text-anchor="middle" fill="#555">${String(n)}</text>`,
    );
  }
  out.push(
    `<text x="${((left + width - right) / 2).toFixed(1)}" y="${String(height - 8)}" text-anchor="middle" fill="#555">getters per event</text>`,
  );
  lines.forEach((line, index) => {
    const points = line.points.map((point) => `${x(point.n).toFixed(1)},${y(point.perSecond).toFixed(1)}`);
    out.push(`<polyline fill="none" stroke="${line.colour}" stroke-width="2" points="${points.join(' ')}"/>`);
    for (const point of points) {
      const [cx = '0', cy = '0'] = point.split(',');
      out.push(`<circle cx="${cx}" cy="${cy}" r="3.5" fill="${line.colour}"/>`);
    }
    const legend = top + 16 + index * 20;
    out.push(
      `<rect x="${String(width - right + 12)}" y="${String(legend - 9)}" width="12" height="4" fill="${line.colour}"/>`,
      `<text x="${String(width - right + 30)}" y="${String(legend - 3)}">${line.name}</text>`,
    );
  });
  return `${[...out, '</svg>'].join('\n')}\n`;
}
