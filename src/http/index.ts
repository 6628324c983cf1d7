export { foreignCaller, isLoopback, mayBeForeign, sameOrigin } from './callers.ts';
export type { Callers } from './callers.ts';
export { door, wasRefused } from './door.ts';
export { formPairs } from './form.ts';
export {
  UnforwardableError,
  answerFraming,
  endToEnd,
  framingHeaders,
  framingOf,
  reasonPhrase,
} from './headers.ts';
export type { Framing } from './headers.ts';
export { bounded, httpLimits } from './limits.ts';
export type { HttpLimits } from './limits.ts';
export { httpMethods } from './methods.ts';
export { multipartFields } from './multipart.ts';
