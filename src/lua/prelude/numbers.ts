/**
 * Numbers as LuaJIT has them: doubles, written with 14 digits, read as its scanner does; its remainder, and its errors.
 *
 * The source is given the real libraries and begins the table `kit` that the other parts are built with.
 */
export const numbersPart = String.raw`
local real = ...
local mtype, tointeger, floor, ceil = real.math.type, real.math.tointeger, real.math.floor, real.math.ceil
local cformat, type, tonumber, find = real.string.format, real.type, real.tonumber, real.string.find
local kit = { real = real }

-- Raises an error that names the line of the code that is sandboxed, however deep the library is below it.
local function fail(message)
  for level = 2, 12 do
    local info = real.getinfo(level, "S")
    -- Called by pcall itself, it names none.
    if not info or info.what == "C" then break end
    if info.short_src == "lua" then real.error(message, level) end
  end
  real.error(message, 0)
end
kit.fail = fail

-- Whether C rounds a number to the even digit that LuaJIT rounds away from zero: it stands exactly between two numbers
-- of so many digits. (With 16 and more of them the next double is too far away.)
local function isHalf(v, digits)
  if digits < 0 or digits > 15 then return false end
  local text = real.string.gsub(cformat("%.99e", v), "^[-]?(%d)%.", "%1", 1)
  return find(real.string.sub(text, digits + 1), "^50*e") ~= nil
end
function kit.unhalved(v, digits)
  return isHalf(v, digits) and v * (1 + 2.0 ^ -52) or v
end

-- A number as LuaJIT writes it: %.14g.
local function numberText(v)
  if mtype(v) == "integer" and v < 100000000000000 and v > -100000000000000 then return cformat("%d", v) end
  if v ~= v then return "nan" end
  local text = cformat("%.14g", v)
  if tonumber(text) ~= v and (find(cformat("%.15g", v), "5$") or find(text, "e", 1, true)) then
    return cformat("%.14g", kit.unhalved(v, 14))
  end
  return text
end
kit.numberText = numberText

local words = { inf = real.math.huge, infinity = real.math.huge, nan = 0 / 0 }

-- A number from a string, as a float; nil when it is none.
local function readNumber(s)
  local v = tonumber(s)
  if mtype(v) == "float" then return v end
  if v then
    if v == 0 then return find(s, "-", 1, true) and -0.0 or 0.0 end
    -- Lua 5.4 cuts hexadecimal digits beyond 64 bits off.
    local at = real.string.match(s, "^%s*[-+]?0[xX]%x+()")
    return (at and tonumber(real.string.sub(s, 1, at - 1) .. "p0") or v) + 0.0
  end
  if #s > 400 then return nil end
  local sign, word = real.string.match(s, "^%s*([-+]?)(%a+)%s*$")
  local bits
  if word then v = words[real.string.lower(word)]
  else
    sign, bits = real.string.match(s, "^%s*([-+]?)0[bB]([01]+)%s*$")
    if bits and #bits <= 64 then
      v = 0.0
      for i = 1, #bits do v = v * 2 + real.string.byte(bits, i) - 48 end
    end
  end
  return v and (sign == "-" and -v or v)
end

function kit.tostring(v)
  if type(v) == "number" then return numberText(v) end
  if v == kit.null and v ~= nil then return "userdata: NULL" end
  return real.tostring(v)
end

local function bad(n, name, expected, v)
  fail("bad argument #" .. n .. " to '" .. name .. "' (" .. expected .. " expected, got " .. type(v) .. ")")
end
kit.bad = bad

-- An argument that has to be a string; numbers are.
function kit.str(v, n, name)
  if type(v) == "string" then return v end
  if type(v) == "number" then return numberText(v) end
  bad(n, name, "string", v)
end

local function double(v, n, name)
  if type(v) == "string" then v = readNumber(v) or v end
  if type(v) ~= "number" then bad(n, name, "number", v) end
  return v * 1.0
end
kit.double = double

-- An argument that has to be an integer of 32 bits: fractions are cut off, and what is beyond them is the least one.
function kit.int(v, n, name, default)
  if v == nil and default then return default end
  if mtype(v) ~= "integer" then
    v = double(v, n, name)
    if not (v > -2147483649.0 and v < 2147483648.0) then return -2147483648 end
    return tointeger(v < 0 and ceil(v) or floor(v))
  end
  if v > 2147483647 or v < -2147483648 then return -2147483648 end
  return v
end

-- The same with 64 bits.
function kit.long(v, n, name)
  v = double(v, n, name)
  return tointeger(v < 0 and ceil(v) or floor(v)) or real.math.mininteger
end

function kit.tonumber(v, base)
  if base == nil then
    if type(v) == "string" then return readNumber(v) end
    return type(v) == "number" and v * 1.0 or nil
  end
  base = kit.int(base, 2, "tonumber")
  if base == 10 then return kit.tonumber(v) end
  if base < 2 or base > 36 then fail("bad argument #2 to 'tonumber' (base out of range)") end
  v = real.string.match(kit.str(v, 1, "tonumber"), "^[^%z]*")
  if base == 16 then v = real.string.gsub(v, "^(%s*%-?)0[xX]", "%1", 1) end
  local number = tonumber(v, base)
  if not number then return nil end
  -- Lua 5.4 goes round at 64 bits, C's strtoul stops there.
  local size = 0.0
  for digit in real.string.gmatch(v, "%w") do size = size * base + tonumber(digit, 36) end
  if size >= 18446744073709551616.0 then size = 18446744073709551615.0
  elseif size < 9007199254740992.0 then return number * 1.0 end
  return find(v, "-", 1, true) and -size or size
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
    elseif type(v) ~= "string" then fail("attempt to concatenate a " .. type(v) .. " value") end
  end
  return real.table.concat(parts, "", 1, n)
end

local function operand(v)
  local number = v
  if type(v) == "string" then number = readNumber(v) end
  if type(number) ~= "number" then fail("attempt to perform arithmetic on a " .. type(v) .. " value") end
  return number * 1.0
end

-- What a % b becomes.
function kit.remainder(a, b)
  if mtype(a) ~= "float" then a = operand(a) end
  if mtype(b) ~= "float" then b = operand(b) end
  local whole = a / b
  if whole - whole == 0 and whole ~= 0 then whole = floor(whole) * 1.0 end
  return a - whole * b
end

-- Arithmetic with strings.
kit.arithmetic = {
  __add = function(a, b) return operand(a) + operand(b) end,
  __sub = function(a, b) return operand(a) - operand(b) end,
  __mul = function(a, b) return operand(a) * operand(b) end,
  __div = function(a, b) return operand(a) / operand(b) end,
  __pow = function(a, b) return operand(a) ^ operand(b) end,
  __unm = function(a) return -operand(a) end,
}
`;
