import { formPairs } from '../../http/index.ts';
import type { HttpExchange } from '../request/http-exchange.ts';

/**
 * The query whose arguments kong.request.get_query and log records show. Kong keeps the table of arguments that was
 * read last, and clear_query_arg does not touch it: an argument that was read before it was cleared is still shown
 * (measured on Kong 3.9.3: a key that key-auth hides is in the record). The raw query and the upstream do not have it.
 */
export function shownQuery(exchange: HttpExchange): string {
  const query = exchange.shownQuery ?? exchange.upstream.query;
  exchange.readQuery = query;
  return query;
}

/** Sets the query, for plugins and for the upstream. */
export function setQuery(exchange: HttpExchange, query: string): void {
  exchange.upstream.query = query;
  exchange.readQuery = exchange.shownQuery = null;
  exchange.emptiedQuery = false;
}

/** Removes every argument of that name. Writes the others anew, as the URL standard writes a form. */
export function clearArgument(exchange: HttpExchange, name: string): void {
  const { upstream } = exchange;
  if (upstream.query === '') return;
  exchange.shownQuery ??= exchange.readQuery;
  const parameters = new URLSearchParams([...formPairs(upstream.query)]);
  parameters.delete(name);
  upstream.query = parameters.toString();
  exchange.emptiedQuery = upstream.query === '';
}
