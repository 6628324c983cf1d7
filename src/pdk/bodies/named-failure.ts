import { KongTsError } from '../../base/errors.ts';

/**
 * Names the function in what goes wrong with a body. The error is made anew where the caller waits for it, so that its stack
 * leads to the line of the plugin that asked.
 *
 * @param path as the plugin writes it: `kong.request.getBody`
 */
export async function namingBody<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (!KongTsError.is(cause) || !cause.code.startsWith('PDK_BODY_')) throw cause;
    const [first = '', ...rest] = cause.message;
    const text = cause.message.startsWith('Kong ') ? cause.message : first.toLowerCase() + rest.join('');
    throw new KongTsError(cause.code, `${path}(): ${text}`, { cause });
  }
}
