export { patternProblem } from './check.ts';
export { PatternError, PatternMatcher, type Capture, type Match } from './matcher.ts';
export { findPlain } from './plain.ts';
