import { useEffect, useRef } from 'preact/hooks';
import { signal } from '@preact/signals';
import { parseJson } from '../text/exact-json.ts';
import { urlOf } from './client.ts';

export type StreamState = 'closed' | 'connecting' | 'open';
/** Whether the page hears of what happens now. */
export const streamState = signal<StreamState>('closed');

type Listeners = Readonly<Record<string, (data: unknown) => void>>;

/**
 * Listens to what happens, while somebody looks: a hidden tab has no connection. It goes on behind the last row that it
 * has heard of.
 * @param query what is wanted; null: nothing
 */
export function useStream(query: Readonly<Record<string, string>> | null, listeners: Listeners): void {
  const latest = useRef(listeners);
  latest.current = listeners;
  const key = query === null ? null : JSON.stringify(query);
  useEffect(() => {
    if (key === null) return undefined;
    const stream = new VisibleStream(JSON.parse(key) as Record<string, string>, (name, data) => {
      latest.current[name]?.(data);
    });
    return () => {
      stream.end();
    };
  }, [key]);
}

const names = ['hello', 'event', 'delivery', 'received', 'hooks', 'replay', 'skipped', 'gap'] as const;

class VisibleStream {
  readonly #query: Readonly<Record<string, string>>;
  readonly #tell: (name: string, data: unknown) => void;
  #source: EventSource | null = null;
  #lastId = '';

  constructor(query: Readonly<Record<string, string>>, tell: (name: string, data: unknown) => void) {
    this.#query = query;
    this.#tell = tell;
    document.addEventListener('visibilitychange', this.#follow);
    this.#follow();
  }

  end(): void {
    document.removeEventListener('visibilitychange', this.#follow);
    this.#close();
  }

  readonly #follow = (): void => {
    if (document.hidden) this.#close();
    else if (this.#source === null) this.#open();
  };

  #open(): void {
    const source = new EventSource(
      urlOf('/event-hooks/stream', { ...this.#query, last_event_id: this.#lastId }),
    );
    this.#source = source;
    streamState.value = 'connecting';
    source.onopen = () => (streamState.value = 'open');
    source.onerror = () =>
      (streamState.value = source.readyState === EventSource.CLOSED ? 'closed' : 'connecting');
    for (const name of names) {
      source.addEventListener(name, (event) => {
        if (event.lastEventId !== '') this.#lastId = event.lastEventId;
        this.#tell(name, parseJson(String(event.data)));
      });
    }
  }

  #close(): void {
    this.#source?.close();
    this.#source = null;
    streamState.value = 'closed';
  }
}
