/**
 * What those need who send requests with undici: event hooks, the client of Kong's Admin API, and plugins
 * (`kong-ts/http-client`).
 */
export { passingOverInformational } from './informational.ts';
