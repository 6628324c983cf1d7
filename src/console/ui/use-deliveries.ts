import { useEffect, useRef, useState } from 'preact/hooks';
import { reasonOf } from '../api/client.ts';
import { findDeliveries } from '../api/deliveries.ts';
import type { DeliveryFilter, Found } from '../api/deliveries.ts';

export interface DeliverySearch {
  readonly found: Found | null;
  readonly problem: string | null;
  readonly busy: boolean;
  readonly more: () => void;
  readonly stop: () => void;
  readonly again: () => void;
}

/** Deliveries that match a filter. A new filter gives up the search for the one before. */
export function useDeliveries(hook: string | null, filter: DeliveryFilter): DeliverySearch {
  const [found, setFound] = useState<Found | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(true);
  const running = useRef<AbortController | null>(null);
  const search = (from: Found | null): void => {
    running.current?.abort();
    const control = new AbortController();
    running.current = control;
    setBusy(true);
    setProblem(null);
    findDeliveries(hook, filter, from, setFoundOf(control), control.signal).then(
      () => {
        if (!control.signal.aborted) setBusy(false);
      },
      (error: unknown) => {
        if (control.signal.aborted) return;
        setBusy(false);
        setProblem(reasonOf(error));
      },
    );
  };
  const setFoundOf = (control: AbortController) => (now: Found) => {
    if (!control.signal.aborted) setFound(now);
  };
  const key = JSON.stringify([hook, filter]);
  useEffect(() => {
    setFound(null);
    search(null);
    return () => running.current?.abort();
  }, [key]);
  return {
    found,
    problem,
    busy,
    more: () => {
      search(found);
    },
    stop: () => {
      running.current?.abort();
      setBusy(false);
      setFound((now) => (now === null ? null : { ...now, searching: false }));
    },
    again: () => {
      search(null);
    },
  };
}
