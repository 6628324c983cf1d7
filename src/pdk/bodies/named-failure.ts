import { KongTsError } from '../../base/errors.ts';

/**
 * Names the function in what goes wrong with a body. The error is made anew where the caller waits for it: V8 then
 * often knows the line of the plugin that asked. A call that is not awaited is not an unhandled rejection.
 *
 * @param path as the plugin writes it: `kong.request.getBody`
 */
export function namingBody<T>(path: string, work: Promise<T>): Promise<T> {
  const attempt = async (): Promise<T> => {
    try {
      return await work;
    } catch (cause) {
      const error = named(path, cause);
      // Not before: V8 finds the caller that waits for a promise only while nobody else has asked for its outcome.
      result.catch(() => undefined);
      throw error;
    }
  };
  const result = attempt();
  return result;
}

function named(path: string, cause: unknown): unknown {
  if (!KongTsError.is(cause) || !cause.code.startsWith('PDK_BODY_')) return cause;
  const [first = '', ...rest] = cause.message;
  const text = cause.message.startsWith('Kong ') ? cause.message : first.toLowerCase() + rest.join('');
  return new KongTsError(cause.code, `${path}(): ${text}`, { cause });
}
