import module from 'node:module';
import { packageRoot, runsFromSource } from './package-root.ts';

/** Where this package's own imports are resolved from. */
const selfParent = new URL('package.json', packageRoot).href;

/** `kong-ts` and `kong-ts/...`: always this very package, so that a plugin and its server share one of everything. */
const ours = /^kong-ts(\/|$)/;

/** Packages that a plugin may import without installing them: it gets this package's copy then. */
const lent = /^zod(\/|$)/;

let registered = false;

/**
 * Makes imports of `kong-ts`, wherever the importing plugin lies on the disk, resolve to the running package
 * (sources in a checkout, `dist` when published), and imports of `zod` too where the plugin has no zod of its own.
 * Registering twice does nothing.
 */
export function registerResolveHook(): void {
  if (registered) return;
  registered = true;
  module.registerHooks({
    resolve(specifier, context, nextResolve) {
      if (ours.test(specifier)) {
        const conditions = runsFromSource
          ? [...context.conditions, 'kong-ts-source']
          : [...context.conditions];
        return nextResolve(specifier, { ...context, conditions, parentURL: selfParent });
      }
      if (lent.test(specifier)) {
        try {
          return nextResolve(specifier, context);
        } catch {
          return nextResolve(specifier, { ...context, parentURL: selfParent });
        }
      }
      return nextResolve(specifier, context);
    },
  });
}
