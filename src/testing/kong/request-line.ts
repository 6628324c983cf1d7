import { formatQuery } from '../../kong-end/index.ts';
import type { RouteEntity } from '../../kong-end/index.ts';
import type { RequestDescription } from '../description.ts';
import { misuse } from '../misuse.ts';

/** The start of a request with every default filled in. */
export interface RequestLine {
  readonly method: string;
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  /** Path and query. */
  readonly target: string;
}

/** Fills a description with what its route says and with Kong's usual ports. @throws KongTsError TEST_MISUSE */
export function requestLine(request: RequestDescription, route: RouteEntity): RequestLine {
  const url = request.url === undefined ? null : parseUrl(request.url);
  const scheme = request.scheme ?? url?.scheme ?? (secureOnly(route) ? 'https' : 'http');
  const query = request.query === undefined ? (url?.query ?? '') : queryText(request.query);
  const path = request.path ?? url?.path ?? plainPath(route) ?? '/';
  if (!path.startsWith('/')) {
    throw misuse(`The request's path is ${JSON.stringify(path)}.`, 'A path starts with "/".');
  }
  return {
    method: (request.method ?? route.methods?.[0] ?? 'GET').toUpperCase(),
    scheme,
    host: request.host ?? url?.host ?? plainHost(route) ?? 'localhost',
    port: request.port ?? url?.port ?? (scheme === 'https' ? 8443 : 8000),
    target: query === '' ? path : `${path}?${query}`,
  };
}

interface UrlParts {
  readonly scheme: 'http' | 'https' | undefined;
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly path: string;
  readonly query: string;
}

/** The parts of a URL as they stand there: nothing is normalized, so that odd paths can be tested. */
function parseUrl(url: string): UrlParts {
  const parts = /^(?:(https?):\/\/([^/?#:]+|\[[^\]]+\])(?::(\d+))?)?(\/[^?#]*)?(?:\?([^#]*))?$/.exec(url);
  if (parts === null) {
    throw misuse(
      `The request's url ${JSON.stringify(url)} is none.`,
      'Write "http://host:port/path?query", or "/path?query".',
    );
  }
  const [, scheme, host, port, path = '', query = ''] = parts;
  return {
    scheme: scheme === undefined ? undefined : scheme === 'https' ? 'https' : 'http',
    host,
    port:
      port !== undefined ? Number(port) : scheme === undefined ? undefined : scheme === 'https' ? 443 : 80,
    path: path === '' ? '/' : path,
    query,
  };
}

function queryText(query: NonNullable<RequestDescription['query']>): string {
  return typeof query === 'string' ? query.replace(/^\?/, '') : formatQuery({ ...query });
}

function secureOnly(route: RouteEntity): boolean {
  return route.protocols.includes('https') && !route.protocols.includes('http');
}

function plainPath(route: RouteEntity): string | undefined {
  return route.paths?.find((path) => path.startsWith('/'));
}

function plainHost(route: RouteEntity): string | undefined {
  return route.hosts?.find((host) => !host.includes('*'))?.replace(/:\d+$/, '');
}
