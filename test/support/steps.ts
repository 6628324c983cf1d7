/**
 * Counts what code does to the texts and bytes that it is given: characters that a search passes, that a copy holds, and
 * single ones that are looked at. Unlike a clock it gives the same number every time, on every machine.
 */
export interface Steps {
  count: number;
}

type Method = (...args: unknown[]) => unknown;

/** What one call of a method costs. */
type Cost = (self: { readonly length: number }, args: readonly unknown[], result: unknown) => number;

const search: Cost = (self, [, from], result) =>
  (result === -1 ? self.length : (result as number) + 1) - Number(from ?? 0);
const whole: Cost = (self) => self.length;
const resultLength: Cost = (_self, _args, result) => (result as { readonly length: number }).length;
const one: Cost = () => 1;

const ofText: Readonly<Record<string, Cost>> = {
  indexOf: search,
  slice: resultLength,
  charCodeAt: one,
  includes: whole,
  replaceAll: whole,
  split: whole,
};

/**
 * Runs something and counts its steps. A text's methods are watched wherever they are called meanwhile; of bytes only
 * those that `watched` has wrapped.
 */
export function countSteps(run: (watched: (bytes: Buffer) => Buffer) => void): number {
  const steps: Steps = { count: 0 };
  const prototype = String.prototype as unknown as Record<string, Method>;
  const originals = Object.entries(ofText).map(
    ([name, cost]) => [name, prototype[name] as Method, cost] as const,
  );
  for (const [name, original, cost] of originals) {
    prototype[name] = function (this: unknown, ...args: unknown[]) {
      const result = Reflect.apply(original, this, args);
      steps.count += Math.max(1, cost(this as { readonly length: number }, args, result));
      return result;
    };
  }
  try {
    run((bytes) => watchedBytes(bytes, steps));
  } finally {
    for (const [name, original] of originals) prototype[name] = original;
  }
  return steps.count;
}

function watchedBytes(bytes: Buffer, steps: Steps): Buffer {
  return new Proxy(bytes, {
    get(target, name) {
      if (typeof name === 'string' && /^\d+$/.test(name)) {
        steps.count++;
        return target[Number(name)];
      }
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        const result: unknown = Reflect.apply(value as Method, target, args);
        if (name === 'indexOf') steps.count += searchOf(target, args, result as number);
        else if (name === 'subarray') return watchedBytes(result as Buffer, steps);
        else if (name === 'toString') steps.count += (result as string).length;
        return result;
      };
    },
  });
}

/** Searching for several bytes may take as many comparisons as both lengths multiplied: node's search is no better. */
function searchOf(target: Buffer, [wanted, from]: readonly unknown[], result: number): number {
  const width = typeof wanted === 'number' ? 1 : (wanted as { readonly length: number }).length;
  return ((result === -1 ? target.length : result + 1) - Number(from ?? 0)) * width;
}

/**
 * How the steps grow when an input is doubled again and again, on the average of all doublings: a single one tells less,
 * where a text of whole units is not exactly twice as long. About 2 is linear, 4 is quadratic.
 */
export function growth(stepsOf: (size: number) => number, sizes: readonly number[]): number {
  const counts = sizes.map(stepsOf);
  return ((counts.at(-1) as number) / (counts[0] as number)) ** (1 / (counts.length - 1));
}
