import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { ownStatusLine } from '../../http/http1/reasons.ts';
import type { RefusalStatus } from '../../http/http1/request-head.ts';

export const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'] as const;
/** What stands for all other methods: fastify routes only those that it was told of, and Node knows. */
export const otherMethod = 'PROPFIND';

const known: ReadonlySet<string | undefined> = new Set(methods);

/** How requests come to the Admin API that were read as nginx reads them, and how the others are refused. */
export interface NginxManners {
  readonly handle: RequestListener;
  readonly refuse: (status: RefusalStatus, response: ServerResponse) => void;
}

export function nginxManners(app: FastifyInstance, version = '3.9.3'): NginxManners {
  return {
    handle: (request: IncomingMessage, response) => {
      if (!known.has(request.method)) request.method = otherMethod;
      request.url = escaped(request.url ?? '/');
      app.routing(request, response);
    },
    refuse: (status, response) => {
      // nginx's own number for headers that are too large is shown as 400.
      const line = ownStatusLine(status === 494 ? 400 : status);
      response.shouldKeepAlive = false;
      response.writeHead(Number(line.slice(0, 3)), line.slice(4), {
        Server: `kong/${version}`,
        'content-type': 'text/html',
      });
      response.end(nginxPage(line, version));
    },
  };
}

/** nginx's own page for an error. */
export function nginxPage(line: string, version: string): string {
  return [
    `<html>\r\n<head><title>${line}</title></head>\r\n<body>\r\n<center><h1>${line}</h1></center>\r\n<hr><center>kong/${version}</center>`,
    '</body>\r\n</html>\r\n',
  ].join('\r\n');
}

/** Bytes beyond ASCII, one character each, with percent signs. */
const escaped = (url: string): string =>
  url.replace(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`);
