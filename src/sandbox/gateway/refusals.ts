import type { RefusalStatus } from '../../http/http1/index.ts';
import { ownStatusLine } from '../../http/http1/index.ts';
import type { HttpExchange } from '../../kong-end/index.ts';

/** Makes the answer to a request that nginx refuses while it reads it. */
export function refuseRequest(exchange: HttpExchange, status: RefusalStatus): void {
  // Kong puts no words to these two: nginx's own page.
  if (status === 501 || status === 505) answerWithPage(exchange, status);
  else exchange.abort(status);
}

function answerWithPage(exchange: HttpExchange, status: number): void {
  const title = ownStatusLine(status);
  const body = Buffer.from(
    `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n</body>\r\n</html>\r\n`,
  );
  exchange.answer.headers.set('Content-Type', 'text/html; charset=UTF-8');
  exchange.answer.headers.set('Content-Length', String(body.length));
  exchange.finish(status, body, 'error');
}
