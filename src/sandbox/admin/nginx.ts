import type { ServerResponse } from 'node:http';
import type { RefusalStatus } from '../../http/http1/index.ts';
import { ownStatusLine } from '../../http/http1/index.ts';

/** Refuses a request of the Admin API that nginx cannot read. */
export function refuseUnread(status: RefusalStatus, response: ServerResponse, version = '3.9.3'): void {
  // nginx's own number for headers that are too large is shown as 400.
  const line = ownStatusLine(status === 494 ? 400 : status);
  response.shouldKeepAlive = false;
  response.writeHead(Number(line.slice(0, 3)), line.slice(4), {
    Server: `kong/${version}`,
    'content-type': 'text/html',
  });
  response.end(nginxPage(line, version));
}

/** nginx's own page for an error. */
export function nginxPage(line: string, version: string): string {
  return [
    `<html>\r\n<head><title>${line}</title></head>\r\n<body>\r\n<center><h1>${line}</h1></center>\r\n<hr><center>kong/${version}</center>`,
    '</body>\r\n</html>\r\n',
  ].join('\r\n');
}

/** A request's target with bytes beyond ASCII, one character each, written with percent signs. */
export const escapedTarget = (url: string): string =>
  url.replace(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`);
