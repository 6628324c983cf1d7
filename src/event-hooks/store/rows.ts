import type { Delivery, DeliveryRecord, DeliveryState } from './types.ts';

export const stateNumber: Record<DeliveryState, number> = { pending: 0, waiting: 1, delivered: 2, dead: 3 };
const stateName: readonly DeliveryState[] = ['pending', 'waiting', 'delivered', 'dead'];

export interface DeliveryRow {
  seq: number;
  id: string;
  source: string;
  event: string;
  at: number;
  payload: string;
  attempts: number;
}
export interface RecordRow extends DeliveryRow {
  state: number;
  due: number | null;
  finished: number | null;
  status: number | null;
  latency: number | null;
  error: string | null;
  response: string | null;
}

export function toState(number: number): DeliveryState {
  // An unknown state counts as finished. Nothing more is delivered for it.
  return stateName[number] ?? 'dead';
}

export function toDelivery(hookId: string, row: DeliveryRow): Delivery {
  return {
    hookId,
    seq: row.seq,
    eventId: row.id,
    source: row.source,
    event: row.event,
    at: row.at,
    payload: row.payload,
    attempts: row.attempts,
  };
}

export function toRecord(hookId: string, row: RecordRow): DeliveryRecord {
  const state = toState(row.state);
  return {
    ...toDelivery(hookId, row),
    state,
    due: state === 'waiting' ? row.due : null,
    finishedAt: row.finished,
    status: row.status,
    latencyMs: row.latency,
    error: row.error,
    response: row.response,
  };
}
