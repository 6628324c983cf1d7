import { Worker } from 'node:worker_threads';

/** How often the guard looks for the parent, and how long it lets the main thread end by itself. Milliseconds. */
const interval = 1000;

const source = `
const { workerData } = require('node:worker_threads');
let missing = 0;
setInterval(() => {
  if (process.ppid === workerData.parent) return;
  missing += ${interval};
  if (missing > workerData.grace) process.kill(process.pid, 'SIGKILL');
}, ${interval});
`;

/**
 * Ends this process when its parent is gone and it does not end by itself: a plugin that blocks the event loop
 * forever would otherwise outlive a supervisor that was killed. A thread of its own, because a blocked event loop
 * cannot look.
 * @param grace how long a normal end may take, in milliseconds
 */
export function startOrphanGuard(parent: number, grace: number): void {
  const guard = new Worker(source, {
    eval: true,
    workerData: { parent, grace },
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 },
  });
  guard.on('error', () => undefined);
  guard.unref();
}
