export { FrameDecoder, encodeFrame, skippedFrame } from './framing.ts';
export { scanHeaderStruct } from './header-scan.ts';
export type {
  ArgumentsMessage,
  PluginInfo,
  ResultMessage,
  RpcCall,
  RpcCommand,
  RpcResult,
  RpcReturn,
} from './messages.ts';
export {
  decodeResult,
  decodeRpcCall,
  encodeRpcReturn,
  glimpseRpcCall,
  writeArguments,
  writeEventEnd,
} from './server-side.ts';
export { Writer } from './writer.ts';
