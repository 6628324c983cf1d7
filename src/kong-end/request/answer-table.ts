import { HeaderList } from './headers.ts';
import type { HttpExchange } from './http-exchange.ts';

/**
 * The answer's headers as a plugin gets them (ngx.resp.get_headers): with lower-case names, and with nginx's own
 * headers about the connection and the framing.
 *
 * @param over the phase is log: nginx has let go of the connection, and calls it `close` unless it was cut off
 *   (measured on Kong 3.9.3)
 * @param max how many lines
 */
export function answerTable(
  exchange: HttpExchange,
  over: boolean,
  max = 100,
): Record<string, string | string[]> {
  const { answer, connection, terminated } = exchange;
  const list = new HeaderList();
  list.append('connection', over && !terminated && connection !== 'upgrade' ? 'close' : connection);
  if (answer.chunked) list.append('transfer-encoding', 'chunked');
  for (const [name, value] of answer.headers) list.append(name, value);
  return list.toTable(max);
}
