export interface LambdaLimits {
  /** Per function and call, in milliseconds. */
  timeoutMs: number;
  /** Per function. */
  memoryBytes: number;
}
export interface LambdaStart {
  functions: string[];
  limits: LambdaLimits;
}
export interface LambdaCall {
  payload: Record<string, unknown>;
  event: unknown;
  source: unknown;
  pid: number;
}
/** `error` is null when every function returned true. */
export interface LambdaReply {
  error: string | null;
}
