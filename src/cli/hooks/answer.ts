import { KongTsError } from '../../base/errors.ts';

/** The most that is read of one answer, or of one line of a tail, in bytes; as of Kong's own Admin API. */
const maxBytes = 64 * 1024 * 1024;

const decode = (pieces: readonly Uint8Array[]): string => Buffer.concat(pieces).toString('utf8');

/** For an answer that the Admin API of event hooks would not give. */
export const notOurs = (where: string, what: string): KongTsError =>
  new KongTsError('HOOKS_UNAVAILABLE', `${where} is not an Admin API of event hooks: ${what}.`, {
    fix: 'Name the right one with --api URL ("kong-ts hooks serve" prints where it listens).',
  });

/** The body as text. @throws KongTsError HOOKS_UNAVAILABLE when the body is too large, or breaks off */
export async function textOf(response: Response, where: string, limit = maxBytes): Promise<string> {
  if (response.body === null) return '';
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of response.body as AsyncIterable<Uint8Array>) {
    size += piece.length;
    if (size > limit) throw notOurs(where, `its answer is larger than ${String(limit)} bytes`);
    pieces.push(piece);
  }
  return decode(pieces);
}

/** The body line by line, without their ends. @throws KongTsError HOOKS_UNAVAILABLE when a line is too long */
export async function* linesOf(response: Response, where: string, limit = maxBytes): AsyncGenerator<string> {
  let pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    let from = 0;
    for (let end = piece.indexOf(10); end >= 0; end = piece.indexOf(10, from)) {
      pieces.push(piece.subarray(from, end));
      yield decode(pieces);
      pieces = [];
      size = 0;
      from = end + 1;
    }
    size += piece.length - from;
    if (size > limit) throw notOurs(where, `a line of it is longer than ${String(limit)} bytes`);
    if (from < piece.length) pieces.push(piece.subarray(from));
  }
  if (size > 0) yield decode(pieces);
}
