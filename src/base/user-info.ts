/** What of a URL may be shown, and what its user and password ask to be sent. */
export interface WithoutUserInfo {
  /** The URL as it was given where it names no user. */
  readonly shown: string;
  /** The value of `Authorization`; null where the URL names no user. */
  readonly authorization: string | null;
}

/** Takes user and password out of a URL: `http://user:password@kong:8001` is shown as `http://kong:8001`. */
export function withoutUserInfo(given: string): WithoutUserInfo {
  const url = new URL(given);
  const { username, password } = url;
  if (username === '' && password === '') return { shown: given, authorization: null };
  url.username = '';
  url.password = '';
  const pair = Buffer.from(`${decoded(username)}:${decoded(password)}`).toString('base64');
  return { shown: url.href.replace(/\/$/, ''), authorization: `Basic ${pair}` };
}

/** The same for a text that may be no URL at all. */
export function maskUserInfo(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:\/*)?.*@/is, '$1');
}

/** A lone `%` is a `%`. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
