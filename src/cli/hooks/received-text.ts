import { signatureProblem } from '../../event-hooks/serve/index.ts';
import { printable, printableJson, printableLine } from '../../terminal/index.ts';
import type { ReceivedRequest } from './receiver.ts';

/** How much of a body is shown, in characters. */
const maxShown = 16 * 1024;

/**
 * A request as a reader looks at it: one line, the signature's worth, the body.
 * @param secret of the hook; null: the signature is not looked at
 * @param at milliseconds since the epoch
 */
export function receivedText(request: ReceivedRequest, secret: string | null, at: number): string {
  const head = `${new Date(at).toISOString().slice(11, 23)}  ${request.method} ${request.path}`;
  const id = request.headers['webhook-id'];
  const lines = [
    printableLine(`${head}  ${id === undefined ? 'no webhook-id' : `webhook-id ${String(id)}`}`),
    `  ${signatureText(request, secret, at)}`,
    ...bodyText(request.body)
      .split('\n')
      .map((line) => `  ${line}`),
  ];
  return `${lines.join('\n')}\n`;
}

function signatureText(request: ReceivedRequest, secret: string | null, at: number): string {
  const isSigned = request.headers['webhook-signature'] !== undefined;
  if (secret === null) return isSigned ? 'signed (--secret SECRET checks it)' : 'not signed';
  const problem = signatureProblem(request, secret, at);
  return problem === null ? 'the signature is good' : `the signature is NOT good: ${problem}`;
}

function bodyText(body: Buffer): string {
  const text = body.toString('utf8');
  const shown = printed(text);
  return shown.length <= maxShown
    ? shown
    : `${shown.slice(0, maxShown)}\n... (${String(body.length)} bytes in all)`;
}

function printed(text: string): string {
  if (text === '') return '(no body)';
  try {
    return printableJson(JSON.parse(text));
  } catch {
    return printable(text);
  }
}
