/**
 * The world that sandboxed Lua sees: what Kong's own sandbox offers (Kong 3.9, `kong/tools/sandbox`), as LuaJIT has it.
 * Absent on purpose: io, os.execute and the like, require of anything but LuaJIT's table helpers, load, debug,
 * coroutines' hooks, metatables, collectgarbage, string.dump.
 *
 * The source is called with the function that matches patterns (patterns.ts), the loader of the user's chunk, and the
 * host functions; it returns the function that runs the chunk.
 */
export const preludeSource = String.raw`
local bounded, host, memoryBytes = ...
local real = { load = load, setmetatable = setmetatable, next = next, pairs = pairs, error = error,
  type = type, select = select, tostring = tostring, rawset = rawset, string = string, math = math, table = table }

local function readOnly(name, t)
  return real.setmetatable(t, { __metatable = false, __newindex = function(_, k)
    real.error("Cannot modify " .. name .. "." .. real.tostring(k) .. ". Protected by the sandbox.", 0)
  end })
end

-- LuaJIT has one kind of number: 10 / 2 prints as 5.
local function jitNumber(v)
  if real.math.type(v) == "float" then return real.math.tointeger(v) or v end
  return v
end

local function tostring51(v)
  return real.tostring(jitNumber(v))
end

local strings = {}
for _, name in real.pairs({ "byte", "char", "len", "lower", "reverse", "sub", "upper" }) do strings[name] = string[name] end
for _, name in real.pairs({ "find", "match", "gmatch", "gsub" }) do strings[name] = bounded[name] end
function strings.rep(s, n, sep)
  s, n = real.tostring(s), real.math.tointeger(n) or n
  if n > 0 and (#s + #(sep or "")) * n > memoryBytes then real.error("resulting string too large", 0) end
  return real.string.rep(s, n, sep)
end
function strings.format(f, ...)
  local n, args, k = real.select("#", ...), { ... }, 0
  -- %d of 2.5 is 2 in LuaJIT and an error in Lua 5.4.
  for spec in real.string.gmatch(f, "%%[-+ #0]*%d*%.?%d*(.)") do
    if spec ~= "%" then
      k = k + 1
      local v = args[k]
      if real.string.find(spec, "[dixXouc]") then
        local number = real.tonumber and real.tonumber(v) or v
        if real.math.type(number) == "float" and number == number and number < 2^63 and number > -2^63 then
          args[k] = real.math.tointeger(number < 0 and real.math.ceil(number) or real.math.floor(number))
        end
      elseif spec == "s" then
        args[k] = jitNumber(v)
      end
    end
  end
  f = real.string.gsub(f, "%%([-+ #0]*%d*)u", "%%%1d")
  return real.string.format(f, real.table.unpack(args, 1, n))
end

local tables = {}
for _, name in real.pairs({ "concat", "insert", "remove", "sort", "unpack", "pack" }) do tables[name] = table[name] end
function tables.move(a, f, e, t, b)
  if e - f > 1e6 then real.error("too many elements to move", 0) end
  return real.table.move(a, f, e, t, b)
end
function tables.getn(t) return #t end
function tables.maxn(t)
  local n = 0
  for k in real.next, t do if real.type(k) == "number" and k > n then n = k end end
  return n
end
function tables.foreach(t, f)
  for k, v in real.next, t do local r = f(k, v) if r ~= nil then return r end end
end
function tables.foreachi(t, f)
  for i = 1, #t do local r = f(i, t[i]) if r ~= nil then return r end end
end
function tables.clear(t) for k in real.next, t do t[k] = nil end end
function tables.clone(t) local c = {} for k, v in real.next, t do c[k] = v end return c end
function tables.new() return {} end
function tables.nkeys(t) local n = 0 for _ in real.next, t do n = n + 1 end return n end
function tables.isempty(t) return real.next(t) == nil end
function tables.isarray(t)
  local n = tables.nkeys(t)
  for i = 1, n do if t[i] == nil then return false end end
  return true
end

local maths = {}
for name, f in real.pairs(math) do
  if name ~= "type" and name ~= "tointeger" and name ~= "ult" and name ~= "randomseed"
    and name ~= "maxinteger" and name ~= "mininteger" then maths[name] = f end
end
function maths.pow(a, b) return a ^ b end
function maths.log10(v) return real.math.log(v, 10) end
function maths.atan2(y, x) return real.math.atan(y, x) end
function maths.sinh(v) return (real.math.exp(v) - real.math.exp(-v)) / 2 end
function maths.cosh(v) return (real.math.exp(v) + real.math.exp(-v)) / 2 end
function maths.tanh(v) local a = real.math.exp(2 * v) if a == real.math.huge then return 1.0 end return (a - 1) / (a + 1) end
function maths.ldexp(m, e) return m * 2.0 ^ e end
function maths.frexp(v)
  if v == 0 or v ~= v or v == real.math.huge or v == -real.math.huge then return v, 0 end
  local e, m = 0, v < 0 and -v or v
  while m >= 1 do m = m / 2 e = e + 1 end
  while m < 0.5 do m = m * 2 e = e - 1 end
  return v < 0 and -m or m, e
end

local bit = {}
local function toBit(v)
  v = real.math.floor(v + 0.5) & 0xffffffff
  return v >= 0x80000000 and v - 0x100000000 or v
end
local function fold(op)
  return function(v, ...)
    v = toBit(v)
    for i = 1, real.select("#", ...) do v = op(v, toBit((real.select(i, ...)))) end
    return toBit(v)
  end
end
bit.tobit = toBit
bit.band = fold(function(a, b) return a & b end)
bit.bor = fold(function(a, b) return a | b end)
bit.bxor = fold(function(a, b) return a ~ b end)
function bit.bnot(v) return toBit(~toBit(v)) end
function bit.lshift(v, n) return toBit((toBit(v) & 0xffffffff) << (n & 31)) end
function bit.rshift(v, n) return toBit((toBit(v) & 0xffffffff) >> (n & 31)) end
function bit.arshift(v, n) return toBit(toBit(v) // (1 << (n & 31))) end
function bit.rol(v, n) v = toBit(v) & 0xffffffff n = n & 31 return toBit((v << n) | (v >> (32 - n))) end
function bit.ror(v, n) return bit.rol(v, 32 - (n & 31)) end
function bit.bswap(v)
  v = toBit(v) & 0xffffffff
  return toBit(((v & 0xff) << 24) | ((v & 0xff00) << 8) | ((v >> 8) & 0xff00) | (v >> 24))
end
function bit.tohex(v, n)
  n = n or 8
  local digits = n < 0 and -n or n
  local text = real.string.format(n < 0 and "%08X" or "%08x", toBit(v) & 0xffffffff)
  return real.string.sub(text, -digits)
end

local modules = { bit = bit }
for _, name in real.pairs({ "clear", "clone", "isarray", "isempty", "new", "nkeys" }) do
  modules["table." .. name] = tables[name]
end

-- A message handler of Lua's own xpcall runs inside the hook that ends the call, where no hook can end the handler.
local protected = pcall
local function guarded(f, handler, ...)
  local results = real.table.pack(protected(f, ...))
  if results[1] then return real.table.unpack(results, 1, results.n) end
  return false, handler(results[2])
end

local base = {
  _VERSION = "Lua 5.1", assert = assert, error = error, ipairs = ipairs, next = next, pairs = pairs, pcall = pcall,
  xpcall = guarded, select = select, tonumber = tonumber, tostring = tostring51, type = type, unpack = table.unpack,
  print = function() end,
  string = strings, table = tables, math = maths, bit = bit,
  coroutine = { create = coroutine.create, resume = coroutine.resume, running = coroutine.running,
    status = coroutine.status, wrap = coroutine.wrap, yield = coroutine.yield },
  os = { clock = os.clock, date = os.date, difftime = os.difftime, time = os.time },
  jit = { os = "Other", arch = "x64", version = "LuaJIT 2.1", version_num = 20100 },
  require = function(name)
    local module = modules[name]
    if not module then real.error("require '" .. real.tostring(name) .. "' not allowed within sandbox", 0) end
    return module
  end,
}
real.tonumber = tonumber

-- "text":method() goes through the sandbox's functions, too.
getmetatable("").__index = strings
getmetatable("").__metatable = false

-- A host function answers whether it went well, and the value or the error's text.
local function call(index)
  return function(...)
    local ok, value = host(index, ...)
    if not ok then real.error(value, 0) end
    return value
  end
end
local function globals(described)
  local t = {}
  for k, v in real.next, described do
    if real.type(v) == "table" and v.__function then t[k] = call(v.__function)
    elseif real.type(v) == "table" and v.__group then t[k] = readOnly(k, globals(v.__group))
    else t[k] = v end
  end
  return t
end

for name, t in real.pairs(base) do
  if real.type(t) == "table" then readOnly(name, t) end
end

return function(source, described)
  for k, v in real.next, globals(described) do base[k] = v end
  local env = real.setmetatable({}, { __index = base, __metatable = false })
  base._G = env
  local chunk, problem = real.load(source, "=lua", "t", env)
  if not chunk then return nil, problem end
  local kept
  return function(...)
    if kept then return (kept(...)) end
    for k in real.next, env do env[k] = nil end
    local value = chunk(...)
    if real.type(value) ~= "function" then return value end
    kept = value
    return (kept(...))
  end
end
`;
