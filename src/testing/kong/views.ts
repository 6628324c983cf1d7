import { Buffer } from 'node:buffer';
import { HttpExchange } from '../../kong-end/index.ts';
import type { Exchange, HeaderList } from '../../kong-end/index.ts';
import { decodeText } from '../../base/text.ts';
import type { BodyView, ExitView, HeadersView, ResponseView, UpstreamView } from '../results.ts';

/** All header lines of a list, by lower-case name. */
function headersView(headers: HeaderList): HeadersView {
  return { ...headers.toTable(0) };
}

/** The answer that ended an exchange early, null when none did. */
export function exitView(exchange: Exchange): ExitView | null {
  const { aborted } = exchange;
  if (aborted === null) return null;
  const http = exchange instanceof HttpExchange ? exchange : null;
  return {
    status: aborted.status,
    headers: http === null ? {} : headersView(http.answer.headers),
    ...bodyView(aborted.body),
    by: http !== null && http.answer.source === 'error' ? 'kong' : 'plugin',
  };
}

function bodyView(bytes: Buffer | null): BodyView {
  const body = bytes ?? Buffer.alloc(0);
  const text = decodeText(body);
  return { body, text, json: parsed(text) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** The request for the upstream as the plugin left it. */
export async function upstreamView(exchange: Exchange): Promise<UpstreamView | null> {
  if (!(exchange instanceof HttpExchange)) return null;
  if (exchange.aborted !== null && !exchange.proxied) return null;
  const { upstream, destination, headers } = exchange;
  const scheme = destination?.scheme ?? exchange.scheme;
  const host = destination?.host ?? '';
  const port = destination?.port ?? 0;
  const usual = scheme === 'https' ? 443 : 80;
  return {
    method: upstream.method,
    scheme,
    host,
    port,
    path: upstream.path,
    query: upstream.query,
    headers: {
      ...headersView(headers),
      host: exchange.upstreamHost ?? (port === usual ? host : `${host}:${String(port)}`),
    },
    ...bodyView(await exchange.body.bytes(Number.POSITIVE_INFINITY)),
  };
}

/** The client's answer as it stands. */
export function responseView(exchange: Exchange): ResponseView | null {
  if (!(exchange instanceof HttpExchange)) return null;
  const { status, headers, body } = exchange.answer;
  return { status, headers: headersView(headers), ...bodyView(body) };
}
