import type { SentRequest } from './types.ts';

/** How many characters what was sent takes. */
export function sizeOfSent(request: SentRequest | null | undefined): number {
  if (request == null) return 0;
  let size = request.method.length + request.url.length + (request.address?.length ?? 0);
  for (const [name, value] of Object.entries(request.headers)) size += name.length + value.length;
  return size;
}

/** Reads what was sent back. A row that somebody has changed is as good as none. */
export function sentOf(text: string | null): SentRequest | null {
  if (text === null) return null;
  try {
    const { method, url, address, headers } = JSON.parse(text) as Partial<Record<keyof SentRequest, unknown>>;
    if (typeof method !== 'string' || typeof url !== 'string') return null;
    if (typeof headers !== 'object' || headers === null) return null;
    const texts = Object.entries(headers).filter(
      (one): one is [string, string] => typeof one[1] === 'string',
    );
    return {
      method,
      url,
      address: typeof address === 'string' ? address : null,
      headers: Object.fromEntries(texts),
    };
  } catch {
    return null;
  }
}
