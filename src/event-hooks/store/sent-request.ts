import type { SentRequest } from './types.ts';

/** How many characters what was sent takes. */
export function sizeOfSent(request: SentRequest | null | undefined): number {
  if (request == null) return 0;
  let size = request.method.length + request.url.length + (request.address?.length ?? 0);
  for (const [name, value] of Object.entries(request.headers)) size += name.length + value.length;
  return size;
}
