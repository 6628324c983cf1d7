/** Several measurements of one thing: quote the median, show the spread. */
export interface Summary {
  median: number;
  min: number;
  max: number;
}

export function summarize(values: readonly number[]): Summary {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  const middle = Math.floor(sorted.length / 2);
  return {
    median: sorted.length % 2 === 1 ? at(middle) : (at(middle - 1) + at(middle)) / 2,
    min: at(0),
    max: at(sorted.length - 1),
  };
}

/** Ratios pair by pair: a machine that slows down slows both halves of a pair. */
export function ratios(ours: readonly number[], peer: readonly number[]): Summary {
  return summarize(ours.map((value, index) => value / (peer[index] ?? Number.NaN)));
}
