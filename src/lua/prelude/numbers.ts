/**
 * Numbers as LuaJIT has them: doubles, written with 14 digits; `math`, and LuaJIT's `bit`.
 *
 * The source is given the real libraries and returns the table `kit` that the other parts are built with.
 */
export const numbersSource = String.raw`
local real = ...
local mtype, tointeger, floor, ceil = real.math.type, real.math.tointeger, real.math.floor, real.math.ceil
local cformat, type, error, tonumber = real.string.format, real.type, real.error, real.tonumber
local kit = { real = real }

-- A number as LuaJIT writes it: %.14g.
local function numberText(v)
  if mtype(v) == "integer" and v < 100000000000000 and v > -100000000000000 then return cformat("%d", v) end
  if v ~= v then return "nan" end
  local text = cformat("%.14g", v)
  -- A number exactly between two of 14 digits: C takes the even one, LuaJIT the one farther from zero.
  if tonumber(text) ~= v and real.string.find(cformat("%.15g", v), "5$") or real.string.find(text, "e", 1, true) then
    local digits = real.string.gsub(cformat("%.60e", v), "^[-]?(%d)%.", "%1", 1)
    if real.string.find(digits, "^" .. real.string.rep("%d", 14) .. "50+e") then
      return cformat("%.14g", v * (1 + 2.0 ^ -52))
    end
  end
  return text
end
kit.numberText = numberText

function kit.tostring(v)
  if type(v) == "number" then return numberText(v) end
  if v == kit.null and v ~= nil then return "userdata: NULL" end
  return real.tostring(v)
end

local function bad(n, name, expected, v)
  error("bad argument #" .. n .. " to '" .. name .. "' (" .. expected .. " expected, got "
    .. (v == nil and "no value" or type(v)) .. ")", 4)
end
kit.bad = bad

-- An argument that has to be a string; numbers are.
function kit.str(v, n, name)
  if type(v) == "string" then return v end
  if type(v) == "number" then return numberText(v) end
  bad(n, name, "string", v)
end

-- An argument that has to be an integer: fractions are cut off.
function kit.int(v, n, name, default)
  if v == nil and default then return default end
  if type(v) == "string" then v = tonumber(v) or v end
  if type(v) ~= "number" then bad(n, name, "number", v) end
  if mtype(v) == "integer" then return v end
  if v ~= v then return -2147483648 end
  if v > 2147483647 then v = 2147483647.0 elseif v < -2147483648 then v = -2147483648.0 end
  return tointeger(v < 0 and ceil(v) or floor(v))
end

local function double(v, n, name)
  if type(v) == "string" then v = tonumber(v) or v end
  if type(v) ~= "number" then bad(n, name, "number", v) end
  return v + 0.0
end

local maths = { huge = real.math.huge, pi = real.math.pi }
for _, name in real.pairs({ "abs", "acos", "asin", "atan", "cos", "deg", "exp", "rad", "sin", "sqrt", "tan" }) do
  local f = real.math[name]
  maths[name] = function(v) return f(double(v, 1, name)) end
end
for _, name in real.pairs({ "max", "min", "modf" }) do maths[name] = real.math[name] end
function maths.floor(v) v = double(v, 1, "floor") return floor(v) + 0.0 end
function maths.ceil(v)
  v = double(v, 1, "ceil")
  if v > -1 and v < 0 then return -0.0 end
  return ceil(v) + 0.0
end
function maths.fmod(a, b) return real.math.fmod(double(a, 1, "fmod"), double(b, 2, "fmod")) end
function maths.log(v, base)
  if base then return real.math.log(double(v, 1, "log"), double(base, 2, "log")) end
  return real.math.log(double(v, 1, "log"))
end
function maths.random(m, n)
  if m == nil then return real.math.random() end
  m = kit.int(m, 1, "random")
  if n == nil then m, n = 1, m else n = kit.int(n, 2, "random") end
  if m > n then error("bad argument #1 to 'random' (interval is empty)", 2) end
  return real.math.random(m, n)
end
function maths.pow(a, b) return a ^ b end
function maths.log10(v) return real.math.log(double(v, 1, "log10"), 10) end
function maths.atan2(y, x) return real.math.atan(double(y, 1, "atan2"), double(x, 2, "atan2")) end
function maths.sinh(v) return (real.math.exp(v) - real.math.exp(-v)) / 2 end
function maths.cosh(v) return (real.math.exp(v) + real.math.exp(-v)) / 2 end
function maths.tanh(v)
  if v > 20 then return 1.0 elseif v < -20 then return -1.0 end
  local a = real.math.exp(2 * v)
  return (a - 1) / (a + 1)
end
function maths.ldexp(m, e) return m * 2.0 ^ e end
function maths.frexp(v)
  v = double(v, 1, "frexp")
  if v == 0 or v ~= v or v == real.math.huge or v == -real.math.huge then return v, 0 end
  local e, m = 0, v < 0 and -v or v
  while m >= 1 do m = m / 2 e = e + 1 end
  while m < 0.5 do m = m * 2 e = e - 1 end
  return v < 0 and -m or m, e
end
kit.math = maths

local bit = {}
-- Fractions are rounded to the nearest integer, halves to the even one; what is beyond 32 bits is cut off.
local function toBit(v, n, name)
  v = double(v, n or 1, name or "tobit")
  local whole = floor(v) + 0.0
  local rest = v - whole
  if rest > 0.5 or (rest == 0.5 and whole % 2 == 1) then whole = whole + 1 end
  whole = whole % 4294967296.0
  if whole ~= whole then return 0 end
  whole = tointeger(whole)
  return whole >= 0x80000000 and whole - 0x100000000 or whole
end
local function fold(name, op)
  bit[name] = function(v, ...)
    v = toBit(v, 1, name)
    for i = 1, real.select("#", ...) do v = op(v, toBit((real.select(i, ...)), i + 1, name)) end
    return v
  end
end
fold("band", function(a, b) return a & b end)
fold("bor", function(a, b) return a | b end)
fold("bxor", function(a, b) return a ~ b end)
function bit.tobit(v) return toBit(v, 1, "tobit") end
function bit.bnot(v) return ~toBit(v, 1, "bnot") end
local function unsigned(v, name) return toBit(v, 1, name) & 0xffffffff end
local function shift(v, name) return toBit(v, 2, name) & 31 end
function bit.lshift(v, n) return toBit(unsigned(v, "lshift") << shift(n, "lshift")) end
function bit.rshift(v, n) return toBit(unsigned(v, "rshift") >> shift(n, "rshift")) end
function bit.arshift(v, n) return toBit(v, 1, "arshift") // (1 << shift(n, "arshift")) end
function bit.rol(v, n)
  v, n = unsigned(v, "rol"), shift(n, "rol")
  return toBit((v << n | v >> (32 - n)) & 0xffffffff)
end
function bit.ror(v, n) return bit.rol(v, 32 - shift(n, "ror")) end
function bit.bswap(v)
  v = unsigned(v, "bswap")
  return toBit((v & 0xff) << 24 | (v & 0xff00) << 8 | v >> 8 & 0xff00 | v >> 24)
end
function bit.tohex(v, n)
  n = n == nil and 8 or toBit(n, 2, "tohex")
  local digits = n < 0 and -n or n
  if digits > 8 then digits = 8 end
  local text = cformat(n < 0 and "%08X" or "%08x", unsigned(v, "tohex"))
  return real.string.sub(text, 9 - digits)
end
kit.bit = bit

function kit.tonumber(v, base)
  if base == nil then
    local number = tonumber(v)
    return number and number + 0.0
  end
  base = kit.int(base, 2, "tonumber")
  if base < 2 or base > 36 then error("bad argument #2 to 'tonumber' (base out of range)", 2) end
  if base == 10 then return kit.tonumber(v) end
  v = kit.str(v, 1, "tonumber")
  if base == 16 then v = real.string.gsub(v, "^(%s*%-?)0[xX]", "%1", 1) end
  local number = tonumber(v, base)
  return number and number + 0.0
end

-- What a .. b becomes.
function kit.join(...)
  local n = real.select("#", ...)
  if n == 2 then
    local a, b = ...
    if type(a) == "string" and type(b) == "string" then return a .. b end
  end
  local parts = { ... }
  for i = 1, n do
    local v = parts[i]
    if type(v) == "number" then parts[i] = numberText(v)
    elseif type(v) ~= "string" then error("attempt to concatenate a " .. type(v) .. " value", 2) end
  end
  return real.table.concat(parts, "", 1, n)
end

return kit
`;
