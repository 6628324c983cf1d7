/** Kong's page sizes (measured on Kong 3.9.3): 100 unless asked for, 1000 at most. */
const defaultSize = 100;
const maxSize = 1000;

/** Kong's answer to an invalid size or offset. */
export class PagingError extends Error {
  readonly kind: 'invalid size' | 'invalid offset';
  readonly code: 9 | 7;
  constructor(kind: 'invalid size' | 'invalid offset', text: string) {
    super(text);
    this.kind = kind;
    this.code = kind === 'invalid size' ? 9 : 7;
  }
}

export interface PageQuery {
  size: number;
  /** The content of the previous page's offset, null for the first page. */
  offset: string | null;
}

/** @throws PagingError */
export function readPage(query: Record<string, unknown>): PageQuery {
  const { size, offset } = query;
  const asked = size === undefined ? defaultSize : Number(size);
  if (Number.isNaN(asked)) throw new PagingError('invalid size', 'size must be a number');
  if (!Number.isInteger(asked) || asked < 1 || asked > maxSize) {
    throw new PagingError('invalid size', `size must be an integer between 1 and ${String(maxSize)}`);
  }
  if (offset === undefined) return { size: asked, offset: null };
  const text = typeof offset === 'string' ? offset : '';
  try {
    const decoded: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    if (Array.isArray(decoded) && typeof decoded[0] === 'string') return { size: asked, offset: decoded[0] };
  } catch {
    // Answered below.
  }
  throw new PagingError('invalid offset', `'${text}' is not a valid offset: bad offset`);
}

/** A page in Kong's shape: `next` is a path, null on the last page. */
export function page(
  data: unknown[],
  path: string,
  query: Record<string, unknown>,
  last: string | null,
): { data: unknown[]; next: string | null; offset?: string } {
  if (last === null) return { data, next: null };
  const offset = Buffer.from(JSON.stringify([last])).toString('base64url');
  const next = new URLSearchParams();
  next.set('offset', offset);
  for (const [name, value] of Object.entries(query)) if (name !== 'offset') next.set(name, String(value));
  return { data, next: `${path}?${next.toString()}`, offset };
}
