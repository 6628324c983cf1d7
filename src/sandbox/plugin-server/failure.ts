/** An RPC that did not succeed, with the text that Kong would match and log (`closed`, `timeout`, ...). */
export class RpcFailure extends Error {
  override readonly name = 'RpcFailure';
}

/** A call that Kong's PDK rejects with a Lua error: the event is aborted. */
export class PdkRejection extends Error {
  override readonly name = 'PdkRejection';
}

/** kong.response.exit or error: the event is over and its answer is made. Not a failure. */
export class PdkExit extends Error {
  override readonly name = 'PdkExit';
}
