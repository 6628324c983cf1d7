import { HookInvalidError } from '../model/errors.ts';
import type { Hook } from '../model/hook.ts';
import type { CompiledDispatcherOptions } from '../dispatcher/options.ts';
import type { HttpTargetOptions } from '../delivery/http-target.ts';
import type { ClosingTargets } from '../delivery/closing-targets.ts';
import type { TargetGuard } from '../delivery/target-guard.ts';
import { lambdaHandler, checkLambda } from './lambda.ts';
import { checkSecrets } from './signature.ts';
import { logHandler } from './log.ts';
import type { HookHandler } from './types.ts';
import { checkTemplates, webhookCustomHandler } from './webhook-custom.ts';
import { webhookHandler } from './webhook.ts';

/** What all hooks share about targets. */
export interface Targets {
  guard: TargetGuard;
  closing: ClosingTargets;
}

/** Makes the handler that a hook names. */
export function createHandler(
  hook: Hook,
  options: CompiledDispatcherOptions,
  { guard, closing }: Targets,
): HookHandler {
  const http = (sslVerify: boolean): HttpTargetOptions => ({
    guard,
    closing,
    sslVerify,
    timeoutMs: options.timeoutMs,
    maxResponseBytes: options.maxResponseBytes,
    keepResponseBytes: options.keepResponseBytes,
    pipelining: hook.concurrency ?? options.hookConcurrency,
  });
  switch (hook.handler) {
    case 'webhook':
      return webhookHandler(hook, http(hook.config.ssl_verify), options.clock);
    case 'webhook-custom':
      return webhookCustomHandler(hook, http(hook.config.ssl_verify), options.clock);
    case 'log':
      return logHandler(hook, options.log);
    case 'lambda':
      return lambdaHandler(hook, {
        timeoutMs: options.lambdaTimeoutMs,
        memoryBytes: options.lambdaMemoryBytes,
      });
  }
}

/** Stands for a handler that could not be made: every attempt fails with the reason. */
export function unbuilt(reason: string): HookHandler {
  const error = `the hook cannot be built: ${reason}`;
  return {
    target: null,
    attempt: async () => ({ ok: false, status: null, error, response: null }),
    test: async () => ({ error }),
    close: async () => {},
  };
}

/** What the schema cannot see: templates and Lua that do not parse. @throws HookInvalidError naming the field */
export async function checkHook(hook: Hook): Promise<void> {
  const violations = hook.handler === 'webhook-custom' ? checkTemplates(hook.config) : [];
  if (hook.handler === 'webhook' || hook.handler === 'webhook-custom')
    violations.push(...checkSecrets(hook.config));
  if (hook.handler === 'lambda') violations.push(...(await checkLambda(hook.config)));
  if (violations.length > 0) throw new HookInvalidError(violations);
}
