/**
 * The bodies of kong.response.error, as Kong 3.9 makes them without a configured error template: the format that
 * follows from the Accept header, and its content.
 */

const json = 'application/json; charset=utf-8';
const plain = 'text/plain; charset=utf-8';

/** The content type that Kong answers with, by media type. */
const mimeTypes: Readonly<Record<string, string>> = {
  'application/grpc': '',
  'text/html': 'text/html; charset=utf-8',
  'application/json': json,
  'text/plain': plain,
  'application/xml': 'application/xml; charset=utf-8',
};
const wildcards: Readonly<Record<string, string>> = { '*': json, application: json, text: plain };

type Template = (message: string, requestId: string) => string;

const templates: Readonly<Record<string, Template>> = {
  'text/html': (message, requestId) =>
    `<!doctype html>\n<html>\n  <head>\n    <meta charset="utf-8">\n    <title>Error</title>\n  </head>\n  <body>\n    <h1>Error</h1>\n    <p>${message}.</p>\n    <p>request_id: ${requestId}</p>\n  </body>\n</html>\n`,
  'application/json': (message, requestId) =>
    `{\n  "message":"${message}",\n  "request_id":"${requestId}"\n}`,
  'text/plain': (message, requestId) => `${message}\nrequest_id: ${requestId}\n`,
  'application/xml': (message, requestId) =>
    `<?xml version="1.0" encoding="UTF-8"?>\n<error>\n  <message>${message}</message>\n  <requestid>${requestId}</requestid>\n</error>\n`,
};

const name = '[a-z0-9][a-z0-9!#$&^_+.-]+';
const mediaRange = new RegExp(`^((?:${name}|\\*)/(?:${name}|\\*))`, 'i');
const quality = /^\s*;\s*q=(1(?:\.0{0,3}|)|0(?:\.\d{0,3}|))/i;
const otherParameter = new RegExp(`^\\s*;\\s*${name}(?:=[^;]*|)`, 'i');

/** The content type of an error body for an Accept header: the first of the highest quality, JSON by default. */
export function errorContentType(accept: string | null): string {
  let best = 0;
  let chosen = json;
  for (const entry of (accept ?? '').split(',')) {
    const text = entry.trim();
    const media = mediaRange.exec(text)?.[1];
    if (media === undefined) continue;
    const q = qualityOf(text.slice(media.length));
    if (q <= best) continue;
    best = q;
    chosen = contentTypeOf(media);
  }
  return chosen;
}

function qualityOf(parameters: string): number {
  let q = 1;
  for (let rest = parameters; rest !== '';) {
    const weight = quality.exec(rest);
    const match = weight ?? otherParameter.exec(rest);
    if (match === null) break;
    if (weight !== null) q = Number(weight[1]);
    rest = rest.slice(match[0].length);
  }
  return q;
}

function contentTypeOf(media: string): string {
  const [type = '', subtype] = media.split('/');
  return (subtype === '*' ? own(wildcards, type) : own(mimeTypes, media)) ?? json;
}

function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

/** The body for a content type, null when Kong has no template for it. */
export function errorBody(contentType: string, message: string, requestId: string): string | null {
  if (contentType === '') return '';
  const media = contentType.replace(/; charset=utf-8$/, '');
  return own(templates, media)?.(message, requestId) ?? null;
}

/** The content types that errorBody has templates for. */
export const errorContentTypes: readonly string[] = Object.keys(templates);

const messages: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Unauthorized',
  402: 'Payment required',
  403: 'Forbidden',
  404: 'Not found',
  405: 'Method not allowed',
  406: 'Not acceptable',
  407: 'Proxy authentication required',
  408: 'Request timeout',
  409: 'Conflict',
  410: 'Gone',
  411: 'Length required',
  412: 'Precondition failed',
  413: 'Payload too large',
  414: 'URI too long',
  415: 'Unsupported media type',
  416: 'Range not satisfiable',
  417: 'Expectation failed',
  418: "I'm a teapot",
  421: 'Misdirected request',
  422: 'Unprocessable entity',
  423: 'Locked',
  424: 'Failed dependency',
  425: 'Too early',
  426: 'Upgrade required',
  428: 'Precondition required',
  429: 'Too many requests',
  431: 'Request header fields too large',
  451: 'Unavailable for legal reasons',
  494: 'Request header or cookie too large',
  500: 'An unexpected error occurred',
  501: 'Not implemented',
  502: 'An invalid response was received from the upstream server',
  503: 'The upstream server is currently unavailable',
  504: 'The upstream server is timing out',
  505: 'HTTP version not supported',
  506: 'Variant also negotiates',
  507: 'Insufficient storage',
  508: 'Loop detected',
  510: 'Not extended',
  511: 'Network authentication required',
};

/** Kong's text for a status. */
export function errorMessage(status: number): string {
  return messages[status] ?? `The upstream server responded with ${status}`;
}
