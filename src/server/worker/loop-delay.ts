import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Measures how late the event loop is. `take` gives the 99th percentile since the last time, in seconds. */
export function measureLoopDelay(): { take(): number; stop(): void } {
  const resolution = 20;
  const histogram = monitorEventLoopDelay({ resolution });
  histogram.enable();
  return {
    take() {
      const nanoseconds = histogram.percentile(99);
      histogram.reset();
      return Math.max(0, nanoseconds / 1e9 - resolution / 1000);
    },
    stop() {
      histogram.disable();
    },
  };
}
