import type { ServerDuplexStream } from '@grpc/grpc-js';
import { KongTsError, messageOf } from '../../base/errors.ts';
import type { InterestList } from '../client/interest.ts';
import type { Dispatcher } from '../dispatcher/dispatcher.ts';
import type { EmitRequest, EmitResponse } from './service.ts';

type Call = ServerDuplexStream<EmitRequest, EmitResponse>;

/** Batches of one emitter that wait for the store at a time; then its stream is read no further. */
const maxBatchesInFlight = 64;
/** And in bytes. */
const maxBytesInFlight = 16 * 1024 * 1024;

/** Only an error of the store is worth another try. Any other error would come again. */
function failed({ batch, events }: EmitRequest, error: unknown): NonNullable<EmitResponse['ack']> {
  const reason = messageOf(error);
  if (error instanceof KongTsError && error.code === 'STORE_FAILED')
    return { batch, error: reason, refused: [] };
  return { batch, error: '', refused: events.map((_event, index) => ({ index, reason })) };
}

/** One emitter's stream: takes batches, acknowledges them when they are stored, tells what is wanted. */
export function serveEmit(dispatcher: Dispatcher, call: Call): void {
  let inFlight = 0;
  let bytesInFlight = 0;
  /** The emitter does not read its acknowledgements. */
  let full = false;
  let open = true;
  let ended = false;
  /** Resolved when the emitter says that it knows a version of the interest. */
  const knows = new Map<number, () => void>();

  const write = (response: EmitResponse): void => {
    if (!open || call.write(response) || full) return;
    full = true;
    call.pause();
    call.once('drain', () => {
      full = false;
      resume();
    });
  };
  const resume = (): void => {
    if (open && !full && inFlight < maxBatchesInFlight && bytesInFlight < maxBytesInFlight) call.resume();
  };
  const stopWatching = dispatcher.feed.watchInterest((list: InterestList, version: number) => {
    if (!open) return undefined;
    const wanted = list.map(([source, event]) => (event === null ? { source } : { source, event }));
    write({ interest: { version, wanted } });
    // Nobody waits for this client to confirm its first interest.
    return version === 0 ? undefined : new Promise<void>((resolve) => knows.set(version, resolve));
  });
  const close = (): void => {
    open = false;
    stopWatching();
    for (const resolve of knows.values()) resolve();
    knows.clear();
  };
  const endWhenDone = (): void => {
    if (!ended || inFlight > 0 || !open) return;
    close();
    call.end();
  };

  call.on('data', (request: EmitRequest) => {
    for (const [version, resolve] of knows) {
      if (version > request.interestVersion) continue;
      resolve();
      knows.delete(version);
    }
    if (request.batch === 0) return;
    inFlight += 1;
    const bytes = request.events.reduce((sum, event) => sum + event.data.length * 2 + 400, 0);
    bytesInFlight += bytes;
    if (inFlight >= maxBatchesInFlight || bytesInFlight >= maxBytesInFlight) call.pause();
    const now = dispatcher.options.clock.now();
    const events = request.events.map((event) => (event.at === 0 ? { ...event, at: now } : event));
    dispatcher
      .accept(events)
      .then(
        ({ refused }) => {
          write({ ack: { batch: request.batch, error: '', refused } });
        },
        (error: unknown) => {
          write({ ack: failed(request, error) });
        },
      )
      .finally(() => {
        inFlight -= 1;
        bytesInFlight -= bytes;
        resume();
        endWhenDone();
      })
      .catch(() => undefined);
  });
  call.on('end', () => {
    ended = true;
    endWhenDone();
  });
  call.on('error', close);
  call.on('cancelled', close);
}
