export { patternProblem } from './check.ts';
export type { Capture, Match } from './matcher.ts';
export { PatternError, PatternMatcher } from './matcher.ts';
export { findPlain } from './plain.ts';
