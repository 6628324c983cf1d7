import { clockPart } from './clock.ts';

/**
 * The world that sandboxed Lua sees: what Kong's own sandbox offers (Kong 3.9, `kong/tools/sandbox`), as LuaJIT has it.
 * Absent on purpose: files, processes, require of anything but LuaJIT's table helpers, load, debug, coroutines' hooks,
 * metatables, collectgarbage, string.dump.
 *
 * The source is given the parts, the host functions and the style, and returns the function that compiles a chunk.
 */
export const worldSource = String.raw`
local kit, strings, tables, host, joinName, remainderName, null, style = ...
local real = kit.real
local error, type, setmetatable, pairs = real.error, real.type, real.setmetatable, real.pairs
kit.null = null

-- What the code sees of a table of the sandbox: it reads, and cannot write.
local function protect(name, t)
  if real.getmetatable(t) ~= nil then return t end
  local seen = {}
  for k, v in real.next, t do
    if type(v) == "table" then v = protect(k, v) end
    seen[k] = v
  end
  return setmetatable({}, { __index = seen, __metatable = false, __newindex = function(_, k)
    error("Cannot modify " .. name .. "." .. real.tostring(k) .. ". Protected by the sandbox.", 2)
  end })
end

local modules = { bit = kit.bit }
for _, name in pairs({ "clear", "clone", "isarray", "isempty", "new", "nkeys" }) do
  modules["table." .. name] = tables[name]
end

-- A message handler of Lua's own xpcall runs inside the hook that ends the call, where no hook can end the handler.
local protected = real.pcall
local function guarded(f, handler, ...)
  local results = real.table.pack(protected(f, ...))
  if results[1] then return real.table.unpack(results, 1, results.n) end
  local ok, told = protected(handler, results[2])
  if not ok then return false, "error in error handling" end
  return false, told
end

local function assert(...)
  local ok, message = ...
  if ok then return ... end
  if real.select("#", ...) == 0 then kit.fail("bad argument #1 to 'assert' (value expected)") end
  if message == nil then message = "assertion failed!" end
  if type(message) == "number" then message = kit.numberText(message) end
  if type(message) == "string" then message = real.string.match(message, "^[^%z]*") end
  error(message, 0)
end
-- A number gets its place, as a string does.
local function raise(message, level)
  if level == nil then level = 1 else level = kit.int(level, 2, "error") end
  if level > 0 then
    if type(message) == "number" then message = kit.numberText(message) end
    level = level + 1
  end
  error(message, level)
end
local function pick(n, ...)
  if n ~= "#" then
    n = kit.int(n, 1, "select")
    if n == 0 or n < -real.select("#", ...) then kit.fail("bad argument #1 to 'select' (index out of range)") end
  end
  return real.select(n, ...)
end
local inext = real.ipairs({})
local function items(t)
  if type(t) ~= "table" then kit.bad(1, "ipairs", "table", t) end
  return inext, t, 0
end
local function members(t)
  if type(t) ~= "table" then kit.bad(1, "pairs", "table", t) end
  return pairs(t)
end
-- Without any argument they fail.
local function asked(name, f)
  return function(...)
    if real.select("#", ...) == 0 then kit.fail("bad argument #1 to '" .. name .. "' (value expected)") end
    return f(...)
  end
end
${clockPart}
local base = {
  _VERSION = "Lua 5.1", assert = assert, error = raise, ipairs = items, next = real.next, pairs = members,
  pcall = protected, xpcall = guarded, select = pick, tonumber = asked("tonumber", kit.tonumber),
  tostring = asked("tostring", kit.tostring),
  type = type, unpack = tables.unpack, print = function() end,
  string = strings, table = tables, math = kit.math, bit = kit.bit,
  coroutine = { create = real.coroutine.create, resume = real.coroutine.resume, running = real.coroutine.running,
    status = real.coroutine.status, wrap = real.coroutine.wrap, yield = real.coroutine.yield },
  io = { type = function() return nil end },
  os = clock,
  jit = { os = "Linux", arch = "x64", version = "LuaJIT 2.1", version_num = 20100 },
  require = function(name)
    local module = modules[name]
    if not module then error("require '" .. kit.tostring(name) .. "' not allowed within sandbox", 0) end
    return module
  end,
  [joinName] = kit.join, [remainderName] = kit.remainder,
}

-- "text":method() goes through the sandbox's functions, too.
local texts = real.getmetatable("")
for k in real.next, texts do texts[k] = nil end
for k, v in real.next, kit.arithmetic do texts[k] = v end
texts.__index = strings
texts.__metatable = false

-- A host function answers whether it went well, and the value or the error's text.
local function call(index)
  return function(...)
    local ok, value = host(index, ...)
    if not ok then error(value, 2) end
    return value
  end
end
local function globals(described)
  local t = {}
  for k, v in real.next, described do
    if type(v) == "table" and v.__function then t[k] = call(v.__function)
    elseif type(v) == "table" and v.__group then t[k] = globals(v.__group)
    else t[k] = v end
  end
  return t
end

-- What a library in Lua adds to the groups of host functions.
local function add(to, more)
  for k, v in real.next, more do
    if type(v) == "table" and type(to[k]) == "table" then add(to[k], v) else to[k] = v end
  end
end
return function(source, described, library)
  local groups = globals(described)
  if library then
    local ok, problem = real.load(library, "=library", "t", real)
    if not ok then error(problem, 0) end
    add(groups, ok(groups, kit))
  end
  for k, v in real.next, groups do base[k] = v end
  for name, t in real.next, base do if type(t) == "table" then base[name] = protect(name, t) end end
  local env = setmetatable({}, { __index = base, __metatable = false })
  base._G = env
  local chunk, problem = real.load(source, "=lua", "t", env)
  if not chunk then return nil, problem end
  local kept
  return function(...)
    if kept then return kept(...) end
    for k in real.next, env do env[k] = nil end
    if style == "kong" then return chunk(...) end
    local value = chunk(...)
    if type(value) ~= "function" then return value end
    kept = value
    return kept(...)
  end
end
`;
