export { exportDeclarative } from './export.ts';
export { flattenErrors } from './flatten.ts';
export type { Flattened } from './flatten.ts';
export { parseDocument } from './document.ts';
export { declaredId, uuidV5, workspaceIdFor } from './ids.ts';
export { loadDeclarative, loadDeclarativeObject, loadDeclarativeText } from './load.ts';
export type { LoadOptions } from './load.ts';
export { DeclarativeError, declarativeSummary } from './problems.ts';
