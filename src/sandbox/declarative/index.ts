export { exportDeclarative } from './export.ts';
export { declaredId, uuidV5, workspaceIdFor } from './ids.ts';
export { loadDeclarative, loadDeclarativeObject, loadDeclarativeText } from './load.ts';
export type { LoadOptions } from './load.ts';
export { DeclarativeError } from './problems.ts';
