import type { Delivery, SentRequest } from '../store/types.ts';

/** The parts of a request besides the signature and ids, which are added here. */
export interface Composed {
  method: string;
  headers: Record<string, string>;
  body: string | null;
}

/** The result of one attempt. */
export interface Outcome {
  ok: boolean;
  /** HTTP status, null where there was none. */
  status: number | null;
  /** Why it failed, without secrets. */
  error: string | null;
  /** The beginning of the response, null where there was none. */
  response: string | null;
  /** How long the target asked to be left alone. */
  retryAfterMs?: number;
  /** No attempt can succeed, whatever the target does. */
  final?: boolean;
  /** The target said 410: it wants no more. */
  gone?: boolean;
  /** How often it was sent, if more than once. Each sending counts as an attempt. */
  sent?: number;
  /** What was sent, if anything is sent to a target. */
  request?: SentRequest;
}

/** What a test answers: the response of an HTTP target, `true`, or what went wrong. */
export type TestResult =
  { body: string; headers: Record<string, string>; status: number } | { error: string } | true;

/** A hook's handler with what it keeps open; made anew when the hook changes. Its methods never reject. */
export interface HookHandler {
  /** Deliveries with the same value share limits: the origin of a URL, null for handlers without a target. */
  readonly target: string | null;
  attempt(delivery: Delivery): Promise<Outcome>;
  /** Runs the handler now, outside of queue, records and retries. */
  test(payload: Record<string, unknown>, id: string): Promise<TestResult>;
  /** Refuses new attempts, lets running ones finish. */
  close(): Promise<void>;
}

/** The id that a delivery carries in `webhook-id`, the same for every attempt and replay. */
export const deliveryId = (hookId: string, eventId: string): string => `${eventId}_${hookId}`;

/** The parts of a delivery id, null if the text is not one. */
export function parseDeliveryId(id: string): { hookId: string; eventId: string } | null {
  const at = id.indexOf('_');
  return at < 1 ? null : { eventId: id.slice(0, at), hookId: id.slice(at + 1) };
}
