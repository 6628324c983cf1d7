import { isTable, field, textOf } from './lua-source.ts';
import type { Table, LuaSource } from './lua-source.ts';

/** The request line's parts, from the record. */
export class RequestView {
  readonly #source: LuaSource;

  constructor(source: LuaSource) {
    this.#source = source;
  }

  get uri(): string {
    return textOf(field(this.#source.record(), 'request', 'uri'));
  }

  /** Everything before the query. A question mark in front does not begin a query. */
  get rawPath(): string {
    const at = this.uri.indexOf('?', 1);
    return at < 0 ? this.uri : this.uri.slice(0, at);
  }

  get rawQuery(): string {
    const at = this.uri.indexOf('?');
    return at < 0 ? '' : this.uri.slice(at + 1);
  }

  /** Scheme, host and port of `request.url`. The host may be empty if nginx refused the request. */
  get origin(): { scheme: string; host: string; port: number } | null {
    const url = textOf(field(this.#source.record(), 'request', 'url'));
    const parts = /^([a-z][a-z0-9+.-]*):\/\/(\[[^\]]*\]|[^/:?#]*)(?::(\d+))?/i.exec(url);
    if (parts === null) return null;
    const [, scheme = '', host = '', port] = parts;
    return { scheme, host, port: port === undefined ? (scheme === 'https' ? 443 : 80) : Number(port) };
  }

  /** The headers, with those that Kong took out of the record, as far as they are known. */
  get headers(): Table {
    const headers = field(this.#source.record(), 'request', 'headers');
    if (!isTable(headers)) return {};
    const authorization = this.#source.authorization();
    if (authorization === null || headers.authorization === undefined) return headers;
    return { ...headers, authorization };
  }
}
