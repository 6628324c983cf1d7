import { sameText } from '../../base/same-text.ts';
import { Signer } from './signature.ts';

/** A delivery as a receiver has it. */
export interface SignedRequest {
  /** By names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The exact bytes. */
  readonly body: Buffer;
}

/** How far the clocks of sender and receiver may differ, in seconds (Standard Webhooks 1.0.0 asks for a limit). */
const toleranceSeconds = 300;

/**
 * Judges the signatures of a delivery: `webhook-signature`, and `x-kong-signature` beside it.
 * @param secret of the hook
 * @param now milliseconds since the epoch
 * @returns what is wrong, null if nothing is
 */
export function signatureProblem(request: SignedRequest, secret: string, now: number): string | null {
  const header = (name: string): string => String(request.headers[name] ?? '');
  const [id, timestamp] = [header('webhook-id'), header('webhook-timestamp')];
  const given = header('webhook-signature');
  if (given === '' && header('x-kong-signature') === '') return 'it carries no signature';
  if (id === '' || !/^\d{1,12}$/.test(timestamp)) return 'webhook-id or webhook-timestamp is missing';
  const apart = Math.abs(now / 1000 - Number(timestamp));
  if (apart > toleranceSeconds) return `its timestamp is ${apart.toFixed(0)} s from this clock`;
  const signer = new Signer(secret);
  const wanted = signer.standard(id, Number(timestamp), request.body);
  if (!given.split(' ').some((one) => sameText(one, wanted)))
    return 'webhook-signature is of another secret or body';
  return null;
}
