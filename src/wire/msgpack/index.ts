export { MessageDecoder } from './framing.ts';
export { scanHeaderStep } from './header-scan.ts';
export { readMessage } from './messages.ts';
export type { Command, EventAnswer, Message, Request, Response, StepMethod } from './messages.ts';
export { decodeValue, firstElements, malformed } from './reader.ts';
export { encodeResponse, eventIdIn, readCommand, writeCall, writeDone } from './server-side.ts';
export { MessageWriter, encode } from './writer.ts';
