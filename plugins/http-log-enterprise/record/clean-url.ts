/** The name of a query argument as its reader sees it: percent signs and plus decoded, lower case. */
export function argumentName(raw: string): string {
  const spaced = raw.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced).toLowerCase();
  } catch {
    return spaced.toLowerCase();
  }
}

/** The URL or request target with the values of the secret query arguments replaced; the rest as it was. */
export function cleanUrl(url: string, isSecret: (name: string) => boolean, replacement: string): string {
  const question = url.indexOf('?');
  if (question < 0) return url;
  const hash = url.indexOf('#', question);
  const end = hash < 0 ? url.length : hash;
  const query = url
    .slice(question + 1, end)
    .split('&')
    .map((pair) => {
      const equals = pair.indexOf('=');
      const name = equals < 0 ? pair : pair.slice(0, equals);
      return equals >= 0 && isSecret(argumentName(name)) ? `${name}=${replacement}` : pair;
    })
    .join('&');
  return url.slice(0, question + 1) + query + url.slice(end);
}
