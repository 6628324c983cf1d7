import { bitsPart } from './bits.ts';
import { mathsPart } from './maths.ts';
import { numbersPart } from './numbers.ts';

export { stringsSource } from './strings.ts';
export { tablesSource } from './tables.ts';
export { worldSource } from './world.ts';

/** Numbers, `math` and `bit`: given the real libraries, it returns the table `kit`. */
export const numbersSource = `${numbersPart}${mathsPart}${bitsPart}return kit`;

/** The real libraries, gathered before anything else runs. */
export const realSource = `return { load = load, setmetatable = setmetatable, getmetatable = getmetatable, next = next,
  pairs = pairs, ipairs = ipairs, error = error, type = type, select = select, tostring = tostring,
  tonumber = tonumber, pcall = pcall, string = string, math = math, table = table, os = os,
  coroutine = coroutine, getinfo = debug.getinfo }`;
