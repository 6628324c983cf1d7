export { tellProtocol } from './detect.ts';
export type { Protocol } from './protocol.ts';
