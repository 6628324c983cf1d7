/** kong-ts runs TypeScript with Node's own type stripping. A project on an older Node gets one of its own. */
export function needsOwnNode(version = process.versions.node) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < 22 || (major === 22 && minor < 19);
}
