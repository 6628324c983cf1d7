export { checkLua, createLuaFunction } from './function.ts';
export type { LuaFunction, LuaOptions } from './function.ts';
