import type { CompiledPlugin } from './types.ts';

/** Shared by every copy of this package in a process: a plugin may come with another copy than the server's. */
const mark = Symbol.for('kong-ts.plugin');

/** Marks a compiled plugin as one, so that the loader can tell it from a plain definition. */
export function brand(plugin: CompiledPlugin): CompiledPlugin {
  Object.defineProperty(plugin, mark, { value: true });
  return Object.freeze(plugin);
}

export function isCompiledPlugin(value: unknown): value is CompiledPlugin {
  return typeof value === 'object' && value !== null && Reflect.get(value, mark) === true;
}
