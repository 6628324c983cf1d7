import { formatsPart } from './formats.ts';

/**
 * The string library of LuaJIT. Patterns are matched outside of Lua, in steps that are counted; everything else takes
 * time in proportion to the strings that it allocates.
 */
export const stringsSource = String.raw`
local kit, match, spend, memoryBytes = ...
local real, str, int, numberText = kit.real, kit.str, kit.int, kit.numberText
local fail, type, select, lib = kit.fail, real.type, real.select, real.string
local sub, byte, cfind, cformat = lib.sub, lib.byte, lib.find, lib.format
local search, step, plainly, scan = 0, 1, 2, 3
local strings = {}

for _, name in real.pairs({ "len", "lower", "reverse", "upper" }) do
  local f = lib[name]
  strings[name] = function(s) return f(str(s, 1, name)) end
end
function strings.sub(s, i, j)
  return sub(str(s, 1, "sub"), int(i, 2, "sub"), int(j, 3, "sub", -1))
end
function strings.byte(s, i, j)
  s, i = str(s, 1, "byte"), int(i, 2, "byte", 1)
  if j == nil then
    i = byte(s, i)
    if i then return i + 0.0 end
    return
  end
  return byte(s, i, int(j, 3, "byte", i))
end
function strings.char(...)
  local codes = { ... }
  for i = 1, select("#", ...) do
    local code = int(codes[i], i, "char")
    if code < 0 or code > 255 then fail("bad argument #" .. i .. " to 'char' (invalid value)") end
    codes[i] = code
  end
  return lib.char(real.table.unpack(codes))
end
function strings.rep(s, n, sep)
  s, n, sep = str(s, 1, "rep"), int(n, 2, "rep"), sep == nil and "" or str(sep, 3, "rep")
  local size = #s + #sep
  if n <= 0 or size == 0 then return "" end
  if size * n > memoryBytes then fail("resulting string too large") end
  return lib.rep(s, n, sep)
end

local function from(init, size)
  if init < 0 then init = size + init + 1 end
  return init < 1 and 1 or init
end

local function found(s, whole, ok, a, b, ...)
  if not ok then fail(a) end
  if not a then return nil end
  if not whole then return a, b, ... end
  if select("#", ...) > 0 then return ... end
  return sub(s, a, b)
end

-- A pattern ends at its first zero byte, as in C.
local function pattern(p, name)
  p = str(p, 2, name)
  local zero = cfind(p, "\0", 1, true)
  return zero and sub(p, 1, zero - 1) or p
end

function strings.find(s, p, init, plain)
  s, p = str(s, 1, "find"), str(p, 2, "find")
  init = from(int(init, 3, "find", 1), #s)
  if init > #s + 1 then return nil end
  if plain or not cfind(p, "[%^$*+?.([%%-]") then return found(s, false, match(s, p, init, plainly, 0)) end
  return found(s, false, match(s, pattern(p, "find"), init, search, 0))
end

function strings.match(s, p, init)
  s, p = str(s, 1, "match"), pattern(p, "match")
  init = from(int(init, 3, "match", 1), #s)
  if init > #s + 1 then return nil end
  return found(s, true, match(s, p, init, search, 0))
end

function strings.gmatch(s, p)
  s, p = str(s, 1, "gmatch"), pattern(p, "gmatch")
  local at = 1
  local function following(ok, a, b, ...)
    if not ok then fail(a) end
    if not a then at = #s + 2 return nil end
    at = b < a and a + 1 or b + 1
    if select("#", ...) > 0 then return ... end
    return sub(s, a, b)
  end
  return function()
    if at > #s + 1 then return nil end
    return following(match(s, p, at, scan, 0))
  end
end

-- A replacement text, cut at its percent signs: pieces of text, and the numbers of captures.
local function pieces(r)
  local list, at = {}, 1
  while true do
    local percent = cfind(r, "%", at, true)
    if not percent then break end
    if percent > at then list[#list + 1] = sub(r, at, percent - 1) end
    local c = byte(r, percent + 1)
    if c and c >= 48 and c <= 57 then list[#list + 1] = c - 48
    else list[#list + 1] = c and sub(r, percent + 1, percent + 1) or "\0" end
    at = percent + 2
  end
  if at <= #r then list[#list + 1] = sub(r, at) end
  return list
end

local function written(out, list, whole, captures, n)
  for i = 1, #list do
    local piece = list[i]
    if type(piece) == "number" then
      if piece == 0 or (piece == 1 and n == 0) then piece = whole
      elseif piece > n then fail("invalid capture index")
      else piece = captures[piece] end
      if type(piece) == "number" then piece = numberText(piece) end
    end
    out[#out + 1] = piece
  end
end

local function replaced(out, r, kind, list, whole, n, ...)
  if kind == "string" then return written(out, list, whole, { ... }, n) end
  local value
  if kind == "table" then
    local key = whole
    if n > 0 then key = (...) end
    value = r[key]
  elseif n == 0 then value = r(whole)
  else value = r(...) end
  if not value then value = whole
  elseif type(value) == "number" then value = numberText(value)
  elseif type(value) ~= "string" then fail("invalid replacement value (a " .. type(value) .. ")") end
  out[#out + 1] = value
end

function strings.gsub(s, p, r, limit)
  s, p = str(s, 1, "gsub"), pattern(p, "gsub")
  local kind = type(r)
  if kind == "number" then r, kind = numberText(r), "string" end
  if kind ~= "string" and kind ~= "table" and kind ~= "function" then
    fail("bad argument #3 to 'gsub' (string/function/table expected)")
  end
  local list = kind == "string" and pieces(r) or nil
  limit = limit == nil and #s + 1 or int(limit, 4, "gsub")
  local isAnchored = byte(p, 1) == 94
  local out, at, count = {}, 1, 0
  local function take(ok, a, b, ...)
    if not ok then fail(a) end
    if not a then return false end
    if a > at then out[#out + 1] = sub(s, at, a - 1) end
    count = count + 1
    replaced(out, r, kind, list, sub(s, a, b), select("#", ...), ...)
    if b >= a then at = b + 1
    else
      if a <= #s then out[#out + 1] = sub(s, a, a) end
      at = a + 1
    end
    return true
  end
  while count < limit and at <= #s + 1 do
    local hit
    if isAnchored then hit = take(match(s, p, at, step, 1)) else hit = take(match(s, p, at, scan, 0)) end
    if isAnchored or not hit then break end
  end
  if at <= #s then out[#out + 1] = sub(s, at) end
  return real.table.concat(out), count
end
${formatsPart}
return strings
`;
