/** How a plugin for kong-pdk shows in its source, before it can be run. */

/** Anywhere: `const plugin = module.exports = {`, `Object.defineProperty(exports, 'Plugin', ...)`. */
const assigns = /(?<![.\w$])(?:module\.)?exports\b\s*(?:[.[,]|=(?!=))/;
const assignsAll = /^[ \t]*module\.exports\s*=/m;
const exportsPlugin =
  /^[ \t]*export\s+(?:(?:abstract\s+)?class|const|let|var|function)\s+Plugin\b|^[ \t]*export\s*\{[^}]*\bPlugin\b[^}]*\}/m;
/** All of another file: that one may have a `Plugin`. */
const exportsAll = /^[ \t]*export\s*\*\s*from\b/m;
const exportsDefault = /^[ \t]*export\s+default\b/m;
const exportsAs = /^[ \t]*export\s*=/m;

/**
 * Whether TypeScript is to be run as ts-node runs it: it sets `module.exports` or `exports`, or exports a `Plugin` by
 * name. A file with a default export is an ECMAScript module and runs in Node as it is.
 */
export function isKongPdkSource(source: string): boolean {
  if (assignsAll.test(source) || exportsAs.test(source)) return true;
  return (
    !exportsDefault.test(source) && [assigns, exportsPlugin, exportsAll].some((style) => style.test(source))
  );
}
