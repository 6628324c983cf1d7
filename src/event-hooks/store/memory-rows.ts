import { sizeOfSent } from './sent-request.ts';
import type { Attempt, AttemptResult, Delivery, DeliveryRecord, DeliveryState, NewEvent } from './types.ts';

export interface StoredEvent extends Omit<NewEvent, 'hooks'> {
  seq: number;
  /** Deliveries that point at it. */
  references: number;
}
export interface Row {
  event: StoredEvent;
  state: DeliveryState;
  result: AttemptResult | null;
  history: Attempt[];
  /** How much it takes besides its event, roughly. Bytes. */
  size: number;
}

/** How much an event takes besides its payload, roughly. */
export const eventOverhead = 400;
/** How much a delivery and an attempt take besides their texts, roughly. */
export const deliveryOverhead = 250;
export const attemptOverhead = 100;
/** How much of an error is kept where there is no room, in characters. */
export const shortError = 100;

export function sizeOf({ error, response }: AttemptResult, history: readonly Attempt[]): number {
  const texts = history.reduce((sum, one) => sum + attemptOverhead + sizeOfTexts(one), 0);
  return deliveryOverhead + texts + (error?.length ?? 0) + (response?.length ?? 0);
}

const sizeOfTexts = ({ error, response, request }: Attempt): number =>
  (error?.length ?? 0) + (response?.length ?? 0) + sizeOfSent(request);

export function toDelivery(hookId: string, { event, result }: Row): Delivery {
  return {
    hookId,
    seq: event.seq,
    eventId: event.id,
    source: event.source,
    event: event.event,
    at: event.at,
    payload: event.payload,
    attempts: result?.attempts ?? 0,
  };
}

export function toRecord(hookId: string, row: Row): DeliveryRecord {
  const { result, state } = row;
  return {
    ...toDelivery(hookId, row),
    state,
    due: state === 'waiting' ? (result?.due ?? null) : null,
    finishedAt: result?.finishedAt ?? null,
    status: result?.status ?? null,
    latencyMs: result?.latencyMs ?? null,
    error: result?.error ?? null,
    response: result?.response ?? null,
  };
}
