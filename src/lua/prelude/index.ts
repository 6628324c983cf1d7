export { numbersSource } from './numbers.ts';
export { stringsSource } from './strings.ts';
export { tablesSource } from './tables.ts';
export { worldSource } from './world.ts';

/** The real libraries, gathered before anything else runs. */
export const realSource = `return { load = load, setmetatable = setmetatable, getmetatable = getmetatable, next = next,
  pairs = pairs, ipairs = ipairs, error = error, type = type, select = select, tostring = tostring,
  tonumber = tonumber, pcall = pcall, assert = assert, string = string, math = math, table = table, os = os,
  coroutine = coroutine }`;
