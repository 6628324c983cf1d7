import { useEffect, useRef } from 'preact/hooks';

/** How often what has come in is shown, in milliseconds: a row each would draw the page fifty times a second. */
const pauseMs = 250;

/**
 * Gathers what comes in, and hands it on a few times a second.
 * @param key says what is listened to; what waits when it changes belongs to another, and is dropped
 * @param most what waits beyond this is dropped, the oldest first
 * @returns takes one more
 */
export function useBatches<Item>(
  key: string,
  most: number,
  take: (items: Item[], dropped: number) => void,
): (item: Item) => void {
  const waiting = useRef<Item[]>([]);
  const dropped = useRef(0);
  const latest = useRef(take);
  latest.current = take;
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  useEffect(
    () => () => {
      if (timer.current !== null) clearTimeout(timer.current);
      timer.current = null;
      waiting.current = [];
      dropped.current = 0;
    },
    [key],
  );
  return (item) => {
    waiting.current.push(item);
    if (waiting.current.length > most) {
      waiting.current.shift();
      dropped.current += 1;
    }
    timer.current ??= setTimeout(() => {
      timer.current = null;
      const items = waiting.current;
      const lost = dropped.current;
      waiting.current = [];
      dropped.current = 0;
      latest.current(items, lost);
    }, pauseMs);
  };
}
