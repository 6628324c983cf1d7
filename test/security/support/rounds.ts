/**
 * How often the generated tests of the attack suite try: few times in a normal run, so that it stays short.
 * `KONG_TS_SECURITY_ROUNDS` is a factor for a long run by hand, `KONG_TS_SECURITY_SEED` repeats one.
 */
export function bounds(runs: number): { numRuns: number; seed?: number } {
  const factor = Number(process.env.KONG_TS_SECURITY_ROUNDS ?? 1);
  const seed = Number(process.env.KONG_TS_SECURITY_SEED ?? NaN);
  return { numRuns: Math.ceil(runs * factor), ...(Number.isNaN(seed) ? {} : { seed }) };
}
