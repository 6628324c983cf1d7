import { errorMessage } from '../../pdk/catalogue/index.ts';

// The texts are facts of Kong 3.9.3, and the PDK composes its own error answers from the same ones.
export { errorMessage };

/** Statuses that Kong's error handler has words for; kong.response.error knows more. */
const handled = new Set([400, 404, 405, 408, 411, 412, 413, 414, 417, 494, 500, 502, 503, 504]);

/** Kong's text about a failure that nginx has found, and not a plugin (kong/error_handlers.lua of Kong 3.9.3). */
export function failureMessage(status: number): string {
  return handled.has(status) ? errorMessage(status) : `The upstream server responded with ${String(status)}`;
}

/**
 * The form of such an answer: as Accept asks, else as the request's own Content-Type says, else plain text
 * (error_default_type). Answers that Kong makes with kong.response.error are JSON if Accept is missing.
 */
export function failureType(accept: string | null, contentType: string | null): string {
  const asked = accept ?? contentType;
  return asked === null ? 'text/plain' : errorType(asked);
}

/** The type that has a template for a Content-Type that a plugin gave kong.response.error; null: Kong has none. */
export function templateType(contentType: string): string | null {
  for (const [type, full] of Object.entries(contentTypes))
    if (contentType === type || contentType === full) return type;
  return null;
}

const templates: Record<string, (message: string, id: string) => string> = {
  'application/json': (message, id) => `{\n  "message":"${message}",\n  "request_id":"${id}"\n}`,
  'text/plain': (message, id) => `${message}\nrequest_id: ${id}\n`,
  'application/xml': (message, id) =>
    `<?xml version="1.0" encoding="UTF-8"?>\n<error>\n  <message>${message}</message>\n  <requestid>${id}</requestid>\n</error>\n`,
  'text/html': (message, id) =>
    `<!doctype html>\n<html>\n  <head>\n    <meta charset="utf-8">\n    <title>Error</title>\n  </head>\n  <body>\n` +
    `    <h1>Error</h1>\n    <p>${message}.</p>\n    <p>request_id: ${id}</p>\n  </body>\n</html>\n`,
};

const contentTypes: Record<string, string> = {
  'application/json': 'application/json; charset=utf-8',
  'text/plain': 'text/plain; charset=utf-8',
  'application/xml': 'application/xml; charset=utf-8',
  'text/html': 'text/html; charset=utf-8',
};

/** The type that an Accept header asks for among those Kong has a template for; JSON when it names none of them. */
export function errorType(accept: string | null): string {
  let best = 'application/json';
  let bestQuality = 0;
  for (const part of (accept ?? '').split(',')) {
    const [range = '', ...parameters] = part.split(';').map((each) => each.trim().toLowerCase());
    const quality = Number(parameters.find((each) => each.startsWith('q='))?.slice(2) ?? 1);
    const type =
      range === '*/*' || range === 'application/*' || range.endsWith('+json')
        ? 'application/json'
        : range === 'text/*' || range === 'text/plain'
          ? 'text/plain'
          : range === 'text/xml'
            ? 'application/xml'
            : range;
    if (type in templates && quality > bestQuality) {
      best = type;
      bestQuality = quality;
    }
  }
  return best;
}

/** Body and content type of an error answer, in the form that the client accepts. */
export function errorBody(
  message: string,
  requestId: string,
  type: string,
): { contentType: string; body: Buffer } {
  const template = templates[type] ?? templates['application/json'];
  return {
    contentType: contentTypes[type] ?? 'application/json; charset=utf-8',
    body: Buffer.from((template as (message: string, id: string) => string)(message, requestId)),
  };
}
