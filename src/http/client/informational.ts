import type { Socket } from 'node:net';
import type { buildConnector } from 'undici';

type HeadHandler = (status: number, upgrade: boolean, keepsAlive: boolean) => number;

/** The part of undici's parser that is used here. */
interface Parser {
  onHeadersComplete: HeadHandler;
  statusCode: number;
  headers: unknown[];
  headersSize: number;
  readonly ptr: unknown;
  readonly llhttp: Record<Leniency, (ptr: unknown, on: number) => void>;
}

const forAll = ['llhttp_set_lenient_keep_alive'] as const;
/** Lines that end with LF alone, both lengths, headers of two lines: what Kong's http-log takes. */
const forOld = [
  'llhttp_set_lenient_optional_cr_before_lf',
  'llhttp_set_lenient_chunked_length',
  'llhttp_set_lenient_headers',
] as const;
type Leniency = (typeof forAll)[number] | (typeof forOld)[number];

/** What a parser returns for a head that no body follows, whatever it says. */
const noBody = 1;

/**
 * A connector of undici whose connections pass informational answers over (1xx but 101), as RFC 9110 (section 15.2) asks
 * of a client. undici by itself ends a connection at a `100 Continue` that nobody asked for and at what follows an
 * informational answer with `Connection: close`, and counts its time limit anew with each of them: a target that sends
 * one with each answer would get each request again and again, while it has all of them, and one that sends nothing else
 * would be waited for without an end. With this, `headersTimeout` is the time to the answer itself.
 * @param connect what `buildConnector` has made
 * @param takesOldAnswers whether answers are read that RFC 9112 does not allow any more, and Kong's own client reads
 * @returns the same for `connect` of a Client, Pool or Agent
 */
export function passingOverInformational(
  connect: buildConnector.connector,
  takesOldAnswers = false,
): buildConnector.connector {
  return (options, callback) => {
    connect(options, (...made) => {
      // undici gives the socket its parser in this call.
      callback(...made);
      if (made[0] === null) passOverInformational(made[1], takesOldAnswers);
    });
  };
}

/**
 * undici's parser is not a part of what it documents: it is looked at before it is used. Where it is different,
 * undici's own way stays.
 */
function passOverInformational(socket: Socket, takesOldAnswers: boolean): void {
  const parser = parserOf(socket);
  if (parser === null) return;
  const handle = parser.onHeadersComplete;
  // `Connection: close` in an informational answer does not concern the answer that follows.
  for (const leniency of takesOldAnswers ? [...forAll, ...forOld] : forAll)
    parser.llhttp[leniency](parser.ptr, 1);
  parser.onHeadersComplete = (status, upgrade, keepsAlive) => {
    if (status >= 200 || status === 101 || socket.destroyed)
      return handle.call(parser, status, upgrade, keepsAlive);
    parser.statusCode = status;
    parser.headers = [];
    parser.headersSize = 0;
    return noBody;
  };
}

function parserOf(socket: Socket): Parser | null {
  const symbol = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'parser');
  if (symbol === undefined) return null;
  const parser = (socket as unknown as Record<symbol, unknown>)[symbol];
  return isKnown(parser) ? parser : null;
}

function isKnown(parser: unknown): parser is Parser {
  if (typeof parser !== 'object' || parser === null) return false;
  const { onHeadersComplete, statusCode, headers, headersSize, llhttp } = parser as Partial<Parser>;
  return (
    typeof onHeadersComplete === 'function' &&
    typeof statusCode === 'number' &&
    typeof headersSize === 'number' &&
    Array.isArray(headers) &&
    typeof llhttp === 'object' &&
    [...forAll, ...forOld].every((leniency) => typeof llhttp[leniency] === 'function')
  );
}
