export { describeDifferences } from './difference.ts';
export { enablePlugin } from './enable.ts';
