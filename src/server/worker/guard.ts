import { Worker } from 'node:worker_threads';
import { fields } from '../in-flight/register.ts';

/** Where the supervisor's end of the register file is among the descriptors of a worker process. */
export const inFlightDescriptor = 4;

/** How often the register is copied, and how often the guard looks for the parent. Milliseconds. */
const copyIntervalMs = 50;
const parentIntervalMs = 1000;

const source = `
const { workerData } = require('node:worker_threads');
const { writeSync } = require('node:fs');
const { parent, graceMs, blockedForMs, memory, alive, descriptor, copyAfterMs } = workerData;

const bytes = new Uint8Array(8 + memory.byteLength);
const time = new Float64Array(bytes.buffer, 0, 1);
const table = new Int32Array(memory);
// How many bytes of the file may hold something; all of them if another process has written it.
let written = copyAfterMs > 0 ? memory.byteLength : 0;
let usable = descriptor !== null;

function copy() {
  if (!usable) return;
  let end = table.length;
  while (end > 0 && table[end - ${fields - 1}] === 0) end -= ${fields};
  if (end === 0 && !written) return;
  time[0] = Date.now();
  bytes.set(new Uint8Array(memory, 0, end * 4), 8);
  // Places behind the last used one may hold old bytes: one place of zeros ends the table.
  const last = Math.max(end * 4, written);
  bytes.fill(0, 8 + end * 4, 8 + last);
  try {
    writeSync(descriptor, bytes, 0, 8 + last, 0);
  } catch {
    usable = false;
  }
  written = end * 4;
}

const beats = new Int32Array(alive);
let missing = 0;
let blocked = 0;
let beat = 0;
function look() {
  if (process.ppid === parent) return;
  missing += ${parentIntervalMs};
  const now = Atomics.load(beats, 0);
  blocked = now === beat ? blocked + ${parentIntervalMs} : 0;
  beat = now;
  if (missing > graceMs || blocked > blockedForMs) process.kill(process.pid, 'SIGKILL');
}

setTimeout(() => setInterval(copy, ${copyIntervalMs}), copyAfterMs);
setInterval(look, ${parentIntervalMs});
`;

export interface GuardOptions {
  /** Process id of the supervisor. */
  readonly parent: number;
  /** How long a normal end may take when it is gone, in milliseconds. */
  readonly graceMs: number;
  /** How long its event loop may stand still when the supervisor is gone, in milliseconds. */
  readonly blockedForMs: number;
  /** An Int32 that changes at least once a second as long as the event loop runs. */
  readonly alive: SharedArrayBuffer;
  /** The memory of an InFlightRegister. */
  readonly memory: SharedArrayBuffer;
  /** The file to copy it to, see InFlightFile; null for none. */
  readonly descriptor: number | null;
  /** Until then another part of the worker copies, in milliseconds. */
  readonly copyAfterMs: number;
}

/**
 * A thread that works while a plugin blocks the event loop. It keeps a copy of the events in flight outside of this
 * process, and ends the process when its parent is gone and it does not end by itself.
 */
export function startGuard(options: GuardOptions): void {
  const guard = new Worker(source, {
    eval: true,
    workerData: options,
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 },
  });
  guard.on('error', () => undefined);
  guard.unref();
}
