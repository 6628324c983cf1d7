import { KongTsError } from '../../base/errors.ts';

const maxErrorLength = 1024;

const codeOf = (error: unknown): string => (error as { code?: string } | null)?.code ?? '';
/** The request itself is the reason, whatever the target. */
export const isInvalid = (error: unknown): boolean => codeOf(error) === 'UND_ERR_INVALID_ARG';
/** The other side has closed the connection. */
export const isClosed = (error: unknown): boolean =>
  ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'].includes(codeOf(error));

/** The text about an error in a record. */
export function describe(error: unknown): string {
  return textOf(error).slice(0, maxErrorLength);
}

function textOf(error: unknown): string {
  if (error instanceof KongTsError) return error.message;
  // One for each address that was tried.
  if (error instanceof AggregateError) return error.errors.map(textOf).join(', ');
  const { code, message } = error as { code?: string; message?: string };
  const text = message === undefined || message === '' ? 'connection failed' : message;
  return code === undefined || text.includes(code) ? text : `${text} (${code})`;
}
