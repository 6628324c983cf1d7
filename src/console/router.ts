import { computed, signal } from '@preact/signals';

/** Where the reader is: the part of the address behind `#`, so that one file serves every screen and a link keeps its filter. */
export interface Place {
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

export function parsePlace(hash: string): Place {
  const [path = '', query = ''] = hash.replace(/^#?\/?/, '').split('?', 2);
  const steps = path.split('/').filter((step) => step !== '');
  return { path: steps.map(decode), query: new URLSearchParams(query) };
}

/** @example href(['hooks', id], { state: 'dead' }) */
export function href(path: readonly string[], query: Readonly<Record<string, string>> = {}): string {
  const kept = Object.entries(query).filter(([, value]) => value !== '');
  const text = new URLSearchParams(kept).toString();
  return `#/${path.map(encodeURIComponent).join('/')}${text === '' ? '' : `?${text}`}`;
}

function decode(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    return step;
  }
}

export const place = signal<Place>(parsePlace(location.hash));
/** Changes with the screen, not with its filter. */
export const screenPath = computed(() => place.value.path.join('/'));

window.addEventListener('hashchange', () => (place.value = parsePlace(location.hash)));

export function go(path: readonly string[], query?: Readonly<Record<string, string>>): void {
  location.hash = href(path, query);
}

/** Changes the filter of this screen. The way back leads to the screen before, not through every letter of a search. */
export function setQuery(change: Readonly<Record<string, string>>): void {
  const { path, query } = place.value;
  const merged = { ...Object.fromEntries(query), ...change };
  const next = href(path, merged);
  history.replaceState(null, '', next);
  place.value = parsePlace(next);
}
