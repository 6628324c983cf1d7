export { isEventOver } from './event.ts';
export type {
  AskedStart,
  ConnectionHandle,
  ConnectionHost,
  ForwardedAnswer,
  ForwardedStep,
  RunningInstance,
  RuntimeCounts,
  StartedInstance,
} from './host.ts';
export { startAnswer } from './start-answer.ts';
export {
  giveUpSteps,
  lookAtRuntime,
  lookAtUnfinished,
  receiveForwardedStep,
  serveConnection,
} from './serve.ts';
