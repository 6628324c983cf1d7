export { bundledPlugins } from './bundled-plugins.ts';
export { AdminRefusal, KongAdmin } from './client.ts';
export type { Asked } from './client.ts';
