/** An RPC that did not succeed, with the text that Kong's Lua returns, matches and logs (`closed`, `timeout`, ...). */
export class RpcFailure extends Error {
  override readonly name: string = 'RpcFailure';
}

/** A send that failed. Kong's MsgPack:1 returns it as any other failure, and its ProtoBuf:1 raises. */
export class SendFailure extends RpcFailure {
  override readonly name = 'SendFailure';
}

/**
 * Kong's Lua raises, and the request ends with a 500. In a log timer there is no client to answer, and the saved data
 * of the request stays behind on the timer's coroutine (see coroutines.ts).
 */
export class KongRaised extends Error {
  override readonly name: string = 'KongRaised';
}

/** A call that Kong's PDK rejects with a Lua error: the event is aborted. */
export class PdkRejection extends KongRaised {
  override readonly name = 'PdkRejection';
}

/** kong.response.exit or error: the event is over and its answer is made. Not a failure. */
export class PdkExit extends Error {
  override readonly name = 'PdkExit';
}
