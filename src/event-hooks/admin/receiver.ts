import { receiverOrigin } from '../delivery/own-receiver.ts';
import type { ReceivedHere } from '../delivery/own-receiver.ts';
import { maskHeaders } from '../model/harmless-headers.ts';
import type { ReceivedAnswer } from './answers.ts';
import { answer, ref } from './endpoint.ts';
import type { Endpoint } from './endpoint.ts';

/** What the console itself receives: the target of a hook whose owner has none yet. */
export const receiverEndpoints: readonly Endpoint[] = [
  {
    method: 'GET',
    path: '/event-hooks/receiver',
    summary: 'The last deliveries to this process itself, newest first, and the URL that leads to it',
    answers: { 200: answer('The deliveries.', ref('Receiver')) },
    handle: ({ dispatcher, access }, request) => {
      const { role, seesPayloads } = access.callerOf(request);
      const data = dispatcher.receiver.list().map((one): ReceivedAnswer => {
        const { headers, ...rest } = showReceived(one, seesPayloads);
        return { ...rest, headers: role === 'admin' && seesPayloads ? headers : maskHeaders(headers) };
      });
      return { url: `${receiverOrigin}/`, data };
    },
  },
  {
    method: 'DELETE',
    path: '/event-hooks/receiver',
    summary: 'Forget them',
    answers: { 204: answer('They are forgotten.') },
    handle: ({ dispatcher }) => {
      dispatcher.receiver.clear();
      return undefined;
    },
  },
];

function showReceived(received: ReceivedHere, seesPayloads: boolean): ReceivedAnswer {
  const { id, at, hookId, method, path, headers, body, isCut, bytes, standard, kong } = received;
  const reason =
    standard === 'unknown' || kong === 'unknown'
      ? 'No stored hook of this id has a secret to check with.'
      : null;
  return {
    id,
    event_hook: hookId === null ? null : { id: hookId },
    at: at / 1000,
    method,
    path,
    headers: { ...headers },
    body: seesPayloads ? body : null,
    body_cut: isCut,
    bytes,
    signature: { standard, kong, reason },
  };
}
