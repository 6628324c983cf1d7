/** A metric as prom-client's `getMetricsAsJSON` gives it and its aggregation takes it. */
export interface MetricJson {
  name: string;
  help: string;
  type: 'counter' | 'gauge' | 'histogram';
  aggregator: 'sum' | 'max';
  values: MetricValue[];
}

export interface MetricValue {
  value: number;
  labels: Record<string, string | number>;
  /** The series of a histogram: `_bucket`, `_sum`, `_count` behind the name. */
  metricName?: string;
}

/**
 * The series of one histogram and one set of labels.
 * @param counts observations per bucket, not cumulative; one more than there are bounds
 */
export function histogramValues(
  name: string,
  labels: Record<string, string>,
  bounds: readonly number[],
  counts: ArrayLike<number>,
  sum: number,
): MetricValue[] {
  let total = 0;
  const buckets = [...bounds, Infinity].map((bound, index) => {
    total += counts[index] ?? 0;
    const le = bound === Infinity ? '+Inf' : bound;
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: total };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: total },
  ];
}
