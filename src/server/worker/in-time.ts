import { KongTsError } from '../../base/errors.ts';
import { brokenInstance } from '../connection/broken-instance.ts';
import type { SteadyClock } from '../../base/clock.ts';
import type { RunningInstance } from '../connection/index.ts';

/** How long Kong waits for the next word on an event at most, in milliseconds (measured on Kong 3.9.3). */
const kongWaitsMs = 60_000;
/**
 * How long an event waits for its plugin to load and its configuration to be set up, in milliseconds. After that comes
 * the time of a handler (30 s by default). Both together end before Kong gives up, because that raises in Kong.
 */
export const readyLimitMs = 25_000;
/**
 * An event may wait at least this long, even if its plugin's handler has asked for nearly all of Kong's time.
 * Milliseconds.
 */
const forgivenMs = 5000;

/**
 * The instance that an event has waited for, or, when the time is over, one whose events fail. The handler's time
 * counts from the arrival of the event.
 */
export function readyInTime(
  id: number,
  ready: Promise<RunningInstance | null>,
  clock: SteadyClock,
): Promise<RunningInstance | null> {
  const begun = clock.now();
  let stop = () => {};
  const late = new Promise<RunningInstance>((resolve) => {
    stop = clock.every(readyLimitMs, () => {
      resolve(brokenInstance(id, tooLate(readyLimitMs)));
    });
  });
  const found = ready.then((instance) => {
    if (instance === null) return null;
    const { plugin, stats } = instance;
    const waited = clock.now() - begun;
    if (waited <= forgivenMs || waited + plugin.phaseTimeout < kongWaitsMs) return instance;
    return brokenInstance(id, tooLate(waited), plugin, stats);
  });
  return Promise.race([found, late]).finally(stop);
}

function tooLate(waited: number): KongTsError {
  const seconds = String(Math.round(waited / 1000));
  return new KongTsError(
    'PHASE_TIMEOUT',
    `The plugin was not ready ${seconds} s after the event had come, and Kong gives it up after ${String(kongWaitsMs / 1000)} s.`,
    { fix: 'Let the plugin load and set up quicker, or give its handlers a shorter phaseTimeout.' },
  );
}
