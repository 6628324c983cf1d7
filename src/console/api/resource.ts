import { useEffect, useRef, useState } from 'preact/hooks';
import { reasonOf } from './client.ts';

/** Something that is being fetched. A failure keeps its reason and what was known before: it never looks like a zero. */
export type Loaded<T> =
  | { readonly state: 'loading'; readonly value: T | null }
  | { readonly state: 'ready'; readonly value: T; readonly at: number }
  | { readonly state: 'failed'; readonly value: T | null; readonly reason: string };

export interface Resource<T> {
  readonly now: Loaded<T>;
  readonly reload: () => void;
}

export interface ResourceOptions {
  /** Fetched again after so many milliseconds, while somebody looks at the tab. Default: never. */
  readonly everyMs?: number;
}

/**
 * Fetches when `key` changes. What an earlier key asked for is given up.
 * @param key says what is fetched
 */
export function useResource<T>(
  key: string,
  load: (signal: AbortSignal) => Promise<T>,
  { everyMs }: ResourceOptions = {},
): Resource<T> {
  const [now, setNow] = useState<Loaded<T>>({ state: 'loading', value: null });
  const [round, setRound] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  const last = useRef<{ key: string; value: T } | null>(null);
  // A slow answer is waited for, not given up for the next question.
  const busy = useRef(false);
  useEffect(() => {
    const control = new AbortController();
    const before = last.current?.key === key ? last.current.value : null;
    if (before === null) setNow({ state: 'loading', value: null });
    busy.current = true;
    latest.current(control.signal).then(
      (value) => {
        if (control.signal.aborted) return;
        busy.current = false;
        last.current = { key, value };
        setNow({ state: 'ready', value, at: Date.now() });
      },
      (error: unknown) => {
        if (control.signal.aborted) return;
        busy.current = false;
        setNow({ state: 'failed', value: before, reason: reasonOf(error) });
      },
    );
    return () => {
      control.abort();
    };
  }, [key, round]);
  useEffect(() => {
    if (everyMs === undefined) return undefined;
    const tick = (): void => {
      if (!document.hidden && !busy.current) setRound((n) => n + 1);
    };
    const timer = setInterval(tick, everyMs);
    document.addEventListener('visibilitychange', tick);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', tick);
    };
  }, [everyMs]);
  return {
    now,
    reload: () => {
      setRound((n) => n + 1);
    },
  };
}
