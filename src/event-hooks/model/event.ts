/** One emitted event on its way from a plugin to the dispatcher. */
export interface HookEvent {
  /** Chosen by the emitter, 1 to 64 characters of `A-Z a-z 0-9 -`. The same id is the same event: it fires once. */
  id: string;
  source: string;
  event: string;
  /** The fields as the text of one JSON object. */
  data: string;
  /** When it was emitted, in milliseconds since the epoch. */
  at: number;
}

/** What `publish` says about an event. */
export interface EventDeclaration {
  source: string;
  event: string;
  /** The keys of the data. */
  fields: readonly string[];
  /** The fields whose values are the identity of an event for `on_change` and `snooze`. */
  unique?: readonly string[];
  description?: string;
}

const random = Buffer.allocUnsafe(4096);
let used = random.length;
let lastMs = 0;
let counter = 0;

/** A new event id: 32 hexadecimal digits, UUID version 7 without the dashes, so that ids sort by time. */
export function newEventId(now = Date.now()): string {
  if (used + 8 > random.length) {
    // Not imported: OpenSSL takes 8 ms to start, and `kong-ts dump` emits nothing.
    process.getBuiltinModule('node:crypto').randomFillSync(random);
    used = 0;
  }
  if (now > lastMs) {
    lastMs = now;
    counter = random.readUInt16BE(used) & 0x3ff;
  } else if (++counter > 0xfff) {
    lastMs += 1;
    counter = 0;
  }
  used += 8;
  const time = lastMs.toString(16).padStart(12, '0');
  const count = counter.toString(16).padStart(3, '0');
  return `${time}7${count}8${random.toString('hex', used - 8, used).slice(1)}`;
}

const idPattern = /^[A-Za-z0-9-]{1,64}$/;
const namePattern = /^\P{Cc}{1,256}$/u;
/** Whether a source, an event or a field can be called so. */
export const isName = (value: unknown): boolean => typeof value === 'string' && namePattern.test(value);

/** How deep arrays and objects of an event's data may lie within each other; what receivers' parsers take, too. */
export const maxDepth = 128;
/** The error about data of another shape, at every door. */
export const shapeProblem = `expected one JSON object of at most ${String(maxDepth)} levels`;
/** The last time that a date can be, in milliseconds since 1970 (ECMA-262, 21.4.1.1). */
const lastTime = 8_640_000_000_000_000;

/** Whether a text has more bytes in UTF-8. It is measured only if its length does not decide. */
export function isLargerThan(text: string, bytes: number): boolean {
  if (text.length > bytes) return true;
  return text.length * 3 > bytes && Buffer.byteLength(text) > bytes;
}

/**
 * The fault of an event from outside, null if it has none. The shape of its data is checked together with the hooks.
 */
export function eventProblem(event: HookEvent, maxBytes: number): string | null {
  if (!idPattern.test(event.id)) return 'id: expected 1 to 64 characters of A-Z a-z 0-9 -';
  if (!namePattern.test(event.source)) return 'source: expected 1 to 256 printable characters';
  if (!namePattern.test(event.event)) return 'event: expected 1 to 256 printable characters';
  if (!Number.isInteger(event.at) || event.at < 0 || event.at > lastTime)
    return 'at: expected milliseconds since the epoch';
  if (isLargerThan(event.data, maxBytes)) return `data: larger than ${String(maxBytes)} bytes`;
  return null;
}
