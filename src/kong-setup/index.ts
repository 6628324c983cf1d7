export { formats, render, variable } from './formats.ts';
export type { Format } from './formats.ts';
export { parseEnvFile, parseEnvironment, parseKongConf, pluginsOf, readSettings } from './kong-conf.ts';
export type { Properties } from './kong-conf.ts';
export { pluginFolder } from './plugin-folder.ts';
export type { PluginSource } from './plugin-source.ts';
export { kongSettings, socketArguments } from './settings.ts';
export { factsOf } from './versions.ts';
