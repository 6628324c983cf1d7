export { checkLua, createLuaFunction } from './function.ts';
export type { LuaFunction, LuaOptions } from './function.ts';
export { checkLua51 } from './syntax/translate.ts';
export type { ValueStyle } from './values.ts';
export { serveLuaThread } from './thread/serve.ts';
export { LuaThread, ThreadLost } from './thread/thread.ts';
export type { LuaThreadOptions } from './thread/thread.ts';
