/** Kong's texts for answers that it gives itself (Kong 3.9.3). */
const messages: Record<number, string> = {
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

export function errorMessage(status: number): string {
  return messages[status] ?? `The upstream server responded with ${String(status)}`;
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
