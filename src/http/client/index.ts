/**
 * The tools of everybody who sends requests: event hooks, the client of Kong's Admin API, and plugins
 * (`kong-ts/http-client`). `passingOverInformational` and `containThrows` are for clients of undici, `PostClient` for those who send
 * thousands of bodies a second.
 */
export { containThrows } from './contain-throws.ts';
export { passingOverInformational } from './informational.ts';
export { PostClient } from './post-client.ts';
export type { PostClientOptions, TlsOptions } from './post-client.ts';
export type { PostHead, PostResult } from './post-request.ts';
